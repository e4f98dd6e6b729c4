#pragma once
#include "reaction_diffusion.hpp"

namespace locum::physics {

struct FitzHughNagumoOptions {
  double length = 2;
  double activator_diffusivity = 1e-3;
  double inhibitor_diffusivity = 5e-3;
  double k = 5e-3;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the domain along each axis");
    option("activator_diffusivity", activator_diffusivity, "D_u");
    option("inhibitor_diffusivity", inhibitor_diffusivity, "D_v");
    option("k", k, "reaction constant");
  }
};

/// FitzHugh and Nagumo's activator u and inhibitor v, on a line or a square that nothing leaves:
///     ∂u/∂t = D_u Δu + u − u³ − k − v,   ∂v/∂t = D_v Δv + u − v.
/// Fields "activator" and "inhibitor". The defaults, and standard normal numbers at every point as initial states, are
/// the diffusion–reaction of PDEBench (Takamoto et al., NeurIPS 2022, D.4).
class FitzHughNagumo : public ReactionDiffusion {
 public:
  /// @throws OptionError  if the length is not positive or a diffusivity negative
  explicit FitzHughNagumo(FitzHughNagumoOptions options);

  std::string name() const override { return "fitzhugh_nagumo"; }
  std::vector<std::string> state() const override { return {"activator", "inhibitor"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;

  void react(const double* u, double* f) const override;
  Diffusivity diffusivity(std::size_t species, double u) const override;

 protected:
  std::vector<Tensor> react(const std::vector<Tensor>& u) const override;
  Tensor diffusivity(std::size_t species, const Tensor& u) const override;

 private:
  FitzHughNagumoOptions options_;
};

}  // namespace locum::physics
