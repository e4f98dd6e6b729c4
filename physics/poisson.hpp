#pragma once
#include "diffusion.hpp"

namespace locum::physics {

struct PoissonOptions {
  double tau = 3;
  double alpha = 2;
  double deviation = 1;
  DiffusionSides sides;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("tau", tau, "inverse correlation length of the forcing, 1 / side of the domain");
    option("alpha", alpha, "its smoothness, more than half the number of axes");
    option("deviation", deviation, "its standard deviation");
    sides.visit(option);
  }
};

/// Poisson's equation −Δu = f in the unit square or cube: Diffusion with permeability 1, driven by Gaussian random
/// forcings.
class Poisson : public Diffusion {
 public:
  /// @throws OptionError  if deviation is not positive, tau or alpha is out of range, or as Diffusion
  explicit Poisson(PoissonOptions options = {});

  std::string name() const override { return "poisson"; }
  std::vector<std::string> inputs() const override { return {"forcing"}; }
  /// @throws OptionError  if alpha is too small for the axes: GaussianRandomField
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;

 private:
  PoissonOptions options_;
};

}  // namespace locum::physics
