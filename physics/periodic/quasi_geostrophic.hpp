#pragma once
#include "periodic_equation.hpp"

namespace locum::physics {

/// The defaults are pyqg's two-layer model of the Southern Ocean, in SI units.
struct QuasiGeostrophicOptions {
  double length = 1e6;
  double beta = 1.5e-11;
  double deformation_radius = 15e3;
  double layer_ratio = 0.25;
  double upper_flow = 0.025;
  double lower_flow = 0;
  double bottom_drag = 5.787e-7;
  double viscosity = 0;
  std::int64_t viscosity_order = 4;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the periodic square's side, m");
    option("beta", beta, "northward gradient of the Coriolis parameter, 1 / (m s)");
    option("deformation_radius", deformation_radius, "m");
    option("layer_ratio", layer_ratio, "thickness of the upper layer / of the lower");
    option("upper_flow", upper_flow, "eastward mean flow of the upper layer, m / s");
    option("lower_flow", lower_flow, "of the lower layer, m / s");
    option("bottom_drag", bottom_drag, "on the lower layer, 1 / s");
    option("viscosity", viscosity, "factor of −(−Δ)^viscosity_order of potential vorticity, m^(2 viscosity_order) / s");
    option("viscosity_order", viscosity_order, "1: viscosity; more: hyperviscosity");
  }
};

/// Two layers of quasi-geostrophic flow on a β-plane, about a mean flow sheared in the vertical (Phillips' problem):
///     ∂q_i/∂t + J(ψ_i, q_i) + U_i ∂q_i/∂x + Q_i ∂ψ_i/∂x = −δ_i2 r Δψ_2 − viscosity (−Δ)^n q_i,
///     q_1 = Δψ_1 + F_1 (ψ_2 − ψ_1),   q_2 = Δψ_2 + F_2 (ψ_1 − ψ_2),
///     F_1 = 1 / (R² (1 + δ)),  F_2 = δ F_1,   Q_1 = β + F_1 (U_1 − U_2),  Q_2 = β − F_2 (U_1 − U_2),
/// with R the deformation radius and δ the ratio of thicknesses. Fields "potential_vorticity_1" (upper) and "…_2".
/// Everything linear is integrated exactly.
///
/// Source: Vallis, Atmospheric and Oceanic Fluid Dynamics (2017), §5.4 and §9.6; parameters: pyqg's documentation.
class QuasiGeostrophic : public PointwiseProducts<QuasiGeostrophic> {
 public:
  /// @throws OptionError  if an option is out of range
  explicit QuasiGeostrophic(QuasiGeostrophicOptions options);

  std::string name() const override { return "quasi_geostrophic"; }
  std::vector<std::string> state() const override { return {"potential_vorticity_1", "potential_vorticity_2"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  /// Weak random eddies in the upper layer, of a tenth of the domain: years pass until they are turbulence.
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  FourierForm form(const Grid& grid) const override;

  static constexpr int factors = 6, products = 4;
  /// u q and v q of either layer.
  template <class Value>
  void products_of(const Value* factor, Value* product) const
  {
    for (int layer = 0; layer < 2; ++layer) {
      product[2 * layer] = factor[3 * layer] * factor[3 * layer + 2];
      product[2 * layer + 1] = factor[3 * layer + 1] * factor[3 * layer + 2];
    }
  }

  /// Stream functions of potential vorticities: [layer, layer, mode…], zero for the mean.
  Tensor inversion(const Grid& grid) const;

 private:
  QuasiGeostrophicOptions options_;
  double f1_, f2_;
};

}  // namespace locum::physics
