#pragma once
#include "periodic_equation.hpp"
#include "periodic_random_field.hpp"

namespace locum::physics {

struct AllenCahnOptions {
  double length = 2;
  double diffusivity = 1e-4;
  double reaction = 5;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the periodic domain, along each axis");
    option("diffusivity", diffusivity, "factor of Δu");
    option("reaction", reaction, "factor of u − u³");
  }
};

/// The Allen–Cahn equation ∂u/∂t = diffusivity Δu + reaction (u − u³) on a periodic line or square. Field "u".
/// The defaults are those of Raissi et al., J. Comput. Phys. 378 (2019), §3.1.2.
class AllenCahn : public PointwiseProducts<AllenCahn> {
 public:
  /// @throws OptionError  if length, diffusivity or reaction is not positive
  explicit AllenCahn(AllenCahnOptions options);

  std::string name() const override { return "allen_cahn"; }
  std::vector<std::string> state() const override { return {"u"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  /// Gaussian random fields of standard deviation about a half.
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  FourierForm form(const Grid& grid) const override;

  static constexpr int factors = 1, products = 1;
  template <class Value>
  void products_of(const Value* factor, Value* product) const
  {
    product[0] = factor[0] * factor[0] * factor[0];
  }

 private:
  AllenCahnOptions options_;
};

}  // namespace locum::physics
