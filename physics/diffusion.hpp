#pragma once
#include <string>
#include <vector>

#include "equation.hpp"
#include "sides.hpp"

namespace locum::physics {

/// Steady diffusion in the unit square or cube, dimensionless:
///     −∇·(a ∇u) = f   inside,      u given or a ∂u/∂n = 0 on each side.
///
/// Fields at the centres of equal cells, all of unit "1":
///   permeability  a > 0, [batch, 1, (z,) y, x], or one along each axis, [batch, axis (x, y, z), (z,) y, x]; where
///                 it is no input of the equation and a problem has none, 1
///   forcing       f, [batch, 1, (z,) y, x]; where a problem has none, uniform_forcing() everywhere
///   pressure      u, sought, the same shape
///
/// Discretised with finite volumes: the flux through a face is the harmonic mean of the permeabilities beside it times
/// the difference of the pressures over their distance, on a side the cell's own permeability times the difference from
/// the side's value over half a cell. Second order for smooth permeability, first order where it jumps between cells.
class Diffusion : public SteadyEquation {
 public:
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
  /// @throws DataError   if it is an input of the equation and missing
  /// @throws ShapeError  as forcing()
  Tensor permeability(const Sample& problem) const;

  /// Makes sure that `problem` can be solved.
  /// @throws DataError, ShapeError  as forcing(), and if a permeability is not positive or a value not finite.
  void check(const Sample& problem) const;

  const Sides& sides() const noexcept { return sides_; }

 protected:
  /// @throws OptionError  as Sides, or if no side of a square has a value.
  Diffusion(const std::string& name, const SideOptions& sides);
  /// f of problems that have no forcing of their own.
  virtual double uniform_forcing() const { return 0; }

 private:
  Tensor own_forcing(const Sample& problem) const;

  Sides sides_;
};

}  // namespace locum::physics
