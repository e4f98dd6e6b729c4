#pragma once
#include "reaction_diffusion.hpp"

namespace locum::physics {

struct DiffusionSorptionOptions {
  double length = 1;
  double diffusivity = 5e-4;
  double porosity = 0.29;
  double bulk_density = 2880;
  double freundlich_factor = 3.5e-4;
  double freundlich_exponent = 0.874;
  double solubility = 1;
  double largest_start = 0.2;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the column");
    option("diffusivity", diffusivity, "D, effective");
    option("porosity", porosity, "φ");
    option("bulk_density", bulk_density, "ρ_s");
    option("freundlich_factor", freundlich_factor, "k");
    option("freundlich_exponent", freundlich_exponent, "n");
    option("solubility", solubility, "concentration at the low end");
    option("largest_start", largest_start, "initial states: uniform concentrations up to it");
  }
};

/// A substance that diffuses through ground water and sticks to the ground (Freundlich's isotherm):
///     R(u) ∂u/∂t = D ∂²u/∂x²,   R(u) = 1 + (1 − φ)/φ ρ_s k n (u + 10⁻⁶)^(n−1),
///     u = solubility at x = 0,   u = −D ∂u/∂x at x = length.
/// Field "concentration". The defaults and initial states are the diffusion–sorption of PDEBench (Takamoto et al.,
/// NeurIPS 2022, D.5), whose program has this sign at the far end and holds the solubility half a cell outside of the
/// column; here it holds at its end.
class DiffusionSorption : public ReactionDiffusion {
 public:
  /// @throws OptionError  if an option is not positive, or the porosity not below 1
  explicit DiffusionSorption(DiffusionSorptionOptions options);

  std::string name() const override { return "diffusion_sorption"; }
  std::vector<std::string> state() const override { return {"concentration"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  /// Uniform, from 0 to largest_start.
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;

  Edge edge(std::size_t axis, bool high, double spacing) const override;
  void react(const double* u, double* f) const override;
  Diffusivity diffusivity(std::size_t species, double u) const override;
  bool quasilinear() const override { return true; }

 protected:
  std::vector<Tensor> react(const std::vector<Tensor>& u) const override;
  Tensor diffusivity(std::size_t species, const Tensor& u) const override;

 private:
  DiffusionSorptionOptions options_;
  double sorption_;  // (1 − φ)/φ ρ_s k n
};

}  // namespace locum::physics
