#pragma once
#include "../spread.hpp"
#include "incompressible_flow.hpp"

namespace locum::physics {

struct LidDrivenCavityOptions {
  std::vector<double> reynolds = {100, 1000};
  Spread spread = Spread::random;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("reynolds", reynolds, "smallest and largest Reynolds number drawn, evenly by its logarithm");
    option("spread", spread, "of Reynolds numbers over these: random, or sobol (evenly)");
  }
};

/// Flow in the unit square whose north wall moves along x with velocity 1: IncompressibleFlow with
/// field "viscosity" of a problem, [batch, 1, y, x], one value for all cells: ν = 1 / Reynolds number.
class LidDrivenCavity : public IncompressibleFlow {
 public:
  /// @throws OptionError  unless 0 < smallest ≤ largest Reynolds number
  explicit LidDrivenCavity(LidDrivenCavityOptions options = {});

  std::string name() const override { return "lid_driven_cavity"; }
  std::vector<std::string> inputs() const override { return {"viscosity"}; }
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;

  /// The problem of one given Reynolds number.
  static Sample problem(const Grid& grid, double reynolds);

 protected:
  FlowBounds bounds(const Grid& grid) const override;
  Tensor fluid(const Sample& problem) const override;
  Tensor viscosity(const Sample& problem) const override;

 private:
  LidDrivenCavityOptions options_;
};

}  // namespace locum::physics
