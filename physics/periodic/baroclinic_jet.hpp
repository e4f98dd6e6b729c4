#pragma once
#include "periodic_equation.hpp"

namespace locum::physics {

/// Without dimensions: lengths in deformation radii, speeds in those of the jet.
struct BaroclinicJetOptions {
  double width = 46;
  double breadth = 68;
  double advection = 1;
  double beta = 0.196;
  double relaxation = 0.01;
  double jet = 1;
  double jet_breadth = 3.5;
  double friction = 0.07;
  double sponge = 1;
  double viscosity = 1e-6;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("width", width, "of the channel along x");
    option("breadth", breadth, "of the channel along y, sponges included");
    option("advection", advection, "factor of J(ψ, q)");
    option("beta", beta, "northward gradient of planetary vorticity");
    option("relaxation", relaxation, "of the interface to that of the jet, 1 / time");
    option("jet", jet, "speed of the upper layer against the lower that is relaxed to");
    option("jet_breadth", jet_breadth, "σ of the jet sech²(y / σ)");
    option("friction", friction, "on the lower layer, 1 / time");
    option("sponge", sponge, "damping of eddies at the walls, 1 / time");
    option("viscosity", viscosity, "factor of −(∂⁸/∂x⁸ + ∂⁸/∂y⁸) of potential vorticity");
  }
};

/// Two quasi-geostrophic layers of equal thickness, relaxed to a jet along the middle of a channel:
///     ∂q_k/∂t + advection J(ψ_k, q_k) + β ∂ψ_k/∂x = ± relaxation (ψ_1 − ψ_2 − jet ψ_R) − δ_k2 friction Δψ_2
///                                                  − sponge s(y) (q_k − zonal mean) − viscosity (∂⁸/∂x⁸ + ∂⁸/∂y⁸) q_k,
///     q_1 = Δψ_1 − (ψ_1 − ψ_2),   q_2 = Δψ_2 + (ψ_1 − ψ_2),   + in the upper layer 1.
/// The channel is periodic: a jet in the other direction, with profile s = sech²(y / σ) as the sponge, is at its walls.
/// Fields "q1", "q2", potential vorticity without βy; diagnostics "psi1", "psi2", "psi_r", ψ_R that of a jet of
/// speed 1.
///
/// Source: Lutsko & Hell, J. Atmos. Sci. 78 (2021), §2, without moisture; the hyperviscosity and defaults are those of
/// Mojgani, Chattopadhyay & Hassanzadeh, J. Adv. Model. Earth Syst. 16 (2024).
class BaroclinicJet : public PointwiseProducts<BaroclinicJet> {
 public:
  /// @throws OptionError  if an option is out of range
  explicit BaroclinicJet(BaroclinicJetOptions options);

  std::string name() const override { return "baroclinic_jet"; }
  std::vector<std::string> state() const override { return {"q1", "q2"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  /// The jet that is relaxed to and weak random eddies: some 200 units of time pass until it is turbulent.
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;
  FourierForm form(const Grid& grid) const override;
  std::vector<DiagnosticField> diagnostics(const Grid& grid) const override;

  static constexpr int factors = 9, products = 6;
  /// u q and v q of either layer, and the sponge times its eddies.
  template <class Value>
  void products_of(const Value* factor, Value* product) const
  {
    for (int layer = 0; layer < 2; ++layer) {
      product[2 * layer] = factor[3 * layer] * factor[3 * layer + 2];
      product[2 * layer + 1] = factor[3 * layer + 1] * factor[3 * layer + 2];
      product[4 + layer] = factor[8] * factor[6 + layer];
    }
  }

 private:
  Tensor inversion(const Grid& grid) const;
  Tensor at_walls(const Grid& grid) const;
  Tensor jet(const Grid& grid) const;

  BaroclinicJetOptions options_;
};

}  // namespace locum::physics
