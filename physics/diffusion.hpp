#pragma once
#include <array>
#include <string>
#include <vector>

#include "equation.hpp"

namespace locum::physics {

/// What holds on the six sides of a unit square or cube: x = 0, x = 1, y = 0, y = 1, z = 0, z = 1.
struct DiffusionSides {
  std::vector<std::string> insulated;  ///< Without flux: some of "x0", "x1", "y0", "y1", "z0", "z1".
  std::vector<double> values;          ///< u on each side that is not, in the order above; none: zero.

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("insulated", insulated, "sides without flux: some of x0, x1, y0, y1, z0, z1");
    option("side_values", values, "the solution on the sides x0, x1, y0, y1, z0, z1; []: zero");
  }
};

/// Steady diffusion in the unit square or cube, dimensionless:
///     −∇·(a ∇u) = f   inside,      u given or a ∂u/∂n = 0 on each side.
///
/// Fields at the centres of equal cells, all of unit "1":
///   permeability  a > 0, [batch, 1, (z,) y, x], or one along each axis, [batch, axis (x, y, z), (z,) y, x]; where a
///                 problem has none, 1
///   forcing       f, [batch, 1, (z,) y, x]; where a problem has none, uniform_forcing() everywhere
///   pressure      u, sought, the same shape
///
/// Discretised with finite volumes: the flux through a face is the harmonic mean of the permeabilities beside it times
/// the difference of the pressures over their distance, on a side the cell's own permeability times the difference from
/// the side's value over half a cell. Second order for smooth permeability, first order where it jumps between cells.
class Diffusion : public SteadyEquation {
 public:
  static constexpr std::array<const char*, 6> side_names = {"x0", "x1", "y0", "y1", "z0", "z1"};

  std::vector<std::string> outputs() const override { return {"pressure"}; }
  /// @param cells  two or three
  Grid grid(const std::vector<std::int64_t>& cells) const override;

  /// f + ∇·(a ∇u), [batch, 1, (z,) y, x], of the wider type of its arguments. Differentiable.
  /// @throws DataError, ShapeError  as forcing(), and if the pressure's shape is not the forcing's.
  Tensor residual(const Sample& problem, const Sample& solution) const override;

  /// f and what the sides' values add to it, [batch, 1, (z,) y, x]: the right-hand side of the discrete equations.
  /// @throws ShapeError  if the problem is not on equal cells of the unit square or cube, or a field's shape is none of
  ///                     those above.
  Tensor forcing(const Sample& problem) const override;

  /// a along each axis, [batch, axis (x, y, z), (z,) y, x].
  /// @throws ShapeError  as forcing()
  Tensor permeability(const Sample& problem) const;

  /// Makes sure that `problem` can be solved.
  /// @throws DataError, ShapeError  as forcing(), and if a permeability is not positive or a value not finite.
  void check(const Sample& problem) const;

  /// Whether the value on side `which` of side_names is given.
  bool is_given(std::size_t which) const { return given_[which]; }

 protected:
  /// @throws OptionError  if a side is unknown, values are not six or finite, or no side of a square has a value.
  Diffusion(const std::string& name, const DiffusionSides& sides);
  /// f of problems that have no forcing of their own.
  virtual double uniform_forcing() const { return 0; }

 private:
  Tensor own_forcing(const Sample& problem) const;

  std::array<bool, 6> given_;
  std::array<double, 6> values_{};
};

}  // namespace locum::physics
