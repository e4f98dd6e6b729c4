#pragma once
#include <numbers>

#include "periodic_equation.hpp"

namespace locum::physics {

struct BarotropicOptions {
  double length = 2 * std::numbers::pi;
  double beta = 10;
  double deformation_radius = 0;
  double drag = 0;
  double viscosity = 0;
  std::int64_t viscosity_order = 4;
  double topography = 0;
  std::int64_t topography_waves = 2;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the periodic square's side");
    option("beta", beta, "northward gradient of planetary vorticity");
    option("deformation_radius", deformation_radius, "0: infinite, a rigid lid");
    option("drag", drag, "linear, 1 / time");
    option("viscosity", viscosity, "factor of −(−Δ)^viscosity_order of potential vorticity");
    option("viscosity_order", viscosity_order, "1: viscosity; more: hyperviscosity");
    option("topography", topography, "amplitude of η = topography · cos(n x') cos(n y'), n = topography_waves");
    option("topography_waves", topography_waves, "hills along a side");
  }
};

/// One layer of quasi-geostrophic flow on a β-plane over topography η:
///     ∂q/∂t + J(ψ, q + η) + β ∂ψ/∂x = −drag Δψ − viscosity (−Δ)^n q,   q = Δψ − ψ / R².
/// Field "potential_vorticity". Source: Vallis, Atmospheric and Oceanic Fluid Dynamics (2017), §5.4.
class Barotropic : public PointwiseProducts<Barotropic> {
 public:
  /// @throws OptionError  if an option is out of range
  explicit Barotropic(BarotropicOptions options);

  std::string name() const override { return "barotropic"; }
  std::vector<std::string> state() const override { return {"potential_vorticity"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  /// Random eddies of a sixth of the domain, of unit root mean square vorticity.
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  FourierForm form(const Grid& grid) const override;

  static constexpr int factors = 3, products = 2;
  template <class Value>
  void products_of(const Value* factor, Value* product) const
  {
    product[0] = factor[0] * factor[2];
    product[1] = factor[1] * factor[2];
  }

 private:
  BarotropicOptions options_;
};

}  // namespace locum::physics
