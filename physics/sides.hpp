#pragma once
#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace locum::physics {

/// What holds on the sides of a box: at the low and the high end of x, y and z.
struct SideOptions {
  std::vector<std::string> insulated;  ///< Without flux: some of Sides::names.
  std::vector<double> values;          ///< Of the solution on each side that is not, by Sides::names; none: zero.

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("insulated", insulated, "sides without flux: some of x0, x1, y0, y1, z0, z1");
    option("side_values", values, "the solution on the sides x0, x1, y0, y1, z0, z1; []: zero");
  }
};

/// The same, checked.
class Sides {
 public:
  static constexpr std::array<const char*, 6> names = {"x0", "x1", "y0", "y1", "z0", "z1"};

  /// @param equation  whose, for messages
  /// @throws OptionError  if a side is unknown, or values are not six or not finite
  Sides(const std::string& equation, const SideOptions& options);

  /// Whether the solution is given on a side; otherwise there is no flux through it.
  bool given(std::size_t side) const { return given_[side]; }
  double value(std::size_t side) const { return values_[side]; }

 private:
  std::array<bool, 6> given_;
  std::array<double, 6> values_{};
};

}  // namespace locum::physics
