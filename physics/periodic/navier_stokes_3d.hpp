#pragma once
#include <numbers>

#include "periodic_equation.hpp"

namespace locum::physics {

struct NavierStokes3DOptions {
  double length = 2 * std::numbers::pi;
  double viscosity = 1.0 / 1600;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the periodic cube's side");
    option("viscosity", viscosity, "ν");
  }
};

/// The Navier–Stokes equations of incompressible flow in the periodic cube, in rotational form,
///     ∂u/∂t = P(u × ω) + ν Δu,   ω = ∇ × u,
/// with P the projection onto fields without divergence. Field "velocity": components along x, y, z.
/// Source: Canuto et al., Spectral Methods: Evolution to Complex Geometries (2007), §3.3.
class NavierStokes3D : public PointwiseProducts<NavierStokes3D> {
 public:
  /// @throws OptionError  if length is not positive or viscosity negative
  explicit NavierStokes3D(NavierStokes3DOptions options);

  std::string name() const override { return "navier_stokes_3d"; }
  std::vector<std::string> state() const override { return {"velocity"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  /// Random waves of one to three periods along each axis, without divergence, of kinetic energy ½.
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  FourierForm form(const Grid& grid) const override;

  static constexpr int factors = 6, products = 3;
  /// u × ω
  template <class Value>
  void products_of(const Value* factor, Value* product) const
  {
    const Value *const u = factor, *const w = factor + 3;
    product[0] = u[1] * w[2] - u[2] * w[1];
    product[1] = u[2] * w[0] - u[0] * w[2];
    product[2] = u[0] * w[1] - u[1] * w[0];
  }

  /// Taylor and Green's vortex (sin x cos y cos z, −cos x sin y cos z, 0), in the box of side 2π; [1, 3, z, y, x].
  static Tensor taylor_green(const Grid& grid);

 private:
  NavierStokes3DOptions options_;
};

}  // namespace locum::physics
