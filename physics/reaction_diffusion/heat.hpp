#pragma once
#include "../sides.hpp"
#include "reaction_diffusion.hpp"

namespace locum::physics {

struct HeatOptions {
  double length = 1;
  double diffusivity = 0.01;
  double tau = 3;
  double alpha = 3;
  double deviation = 1;
  SideOptions sides;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the domain along each axis");
    option("diffusivity", diffusivity, "d");
    option("tau", tau, "initial states: inverse correlation length, 1 / length");
    option("alpha", alpha, "initial states: smoothness, more than half the number of axes");
    option("deviation", deviation, "initial states: standard deviation");
    sides.visit(option);
  }
};

/// The heat equation ∂u/∂t = d Δu in a square, u given or no flux on each side. Field "temperature"; initial states are
/// GaussianRandomField's.
class Heat : public ReactionDiffusion {
 public:
  /// @throws OptionError  if length or deviation is not positive, diffusivity negative, or as Sides and
  ///                      GaussianRandomField
  explicit Heat(HeatOptions options = {});

  std::string name() const override { return "heat"; }
  std::vector<std::string> state() const override { return {"temperature"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;

  Edge edge(std::size_t axis, bool high, double spacing) const override;
  void react(const double* u, double* f) const override;
  Diffusivity diffusivity(std::size_t species, double u) const override;

 protected:
  std::vector<Tensor> react(const std::vector<Tensor>& u) const override;
  Tensor diffusivity(std::size_t species, const Tensor& u) const override;

 private:
  HeatOptions options_;
  Sides sides_;
};

}  // namespace locum::physics
