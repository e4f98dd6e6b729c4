#pragma once
#include "channel_flow.hpp"

namespace locum::physics {

struct UnsteadyChannelFlowOptions {
  double length = 2.2;
  double height = 0.41;
  double viscosity = 1e-3;
  double velocity = 1;
  Inflow inflow = Inflow::parabolic;
  Shape shape = Shape::circle;
  double size = 0.1;
  double x = 0.2;
  double y = 0.2;
  double perturbation = 0.1;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the channel, m");
    option("height", height, "of the channel, m");
    option("viscosity", viscosity, "ν, m²/s");
    option("velocity", velocity, "mean velocity at the inlet, m/s");
    option("inflow", inflow, "profile of the velocity at the inlet: uniform or parabolic");
    option("shape", shape, "of the obstacle: circle, square, triangle, backward_triangle, rhombus or none");
    option("size", size, "of the obstacle across the flow, m");
    option("x", x, "middle of the obstacle, distance from the inlet, m");
    option("y", y, "middle of the obstacle, distance from the lower wall, m");
    option("perturbation", perturbation, "initial states: deviation of random eddies, in mean velocities");
  }
};

/// Incompressible flow in a channel, past an obstacle that never changes:
///     ∂u/∂t = P(−u·∇u + ν Δu),
/// P being the projection onto velocities without divergence, whose potential is the pressure. The default is the
/// cylinder of Schäfer & Turek (1996), case 2D-2, whose wake is a vortex street at Re = 100.
///
/// Field "velocity", [batch, 2, y, x], m/s: that along x in the middle of the east face of each cell, that along y in
/// the middle of its north face (staggered_flow.hpp). States are without divergence: of those that are not, what is
/// divergent is taken out by the first step.
class UnsteadyChannelFlow : public EvolvingEquation {
 public:
  /// @throws OptionError  as ChannelFlow, of its one obstacle
  explicit UnsteadyChannelFlow(UnsteadyChannelFlowOptions options = {});

  const UnsteadyChannelFlowOptions& options() const noexcept { return options_; }

  std::string name() const override { return "unsteady_channel_flow"; }
  std::vector<std::string> state() const override { return {"velocity"}; }
  /// @param cells  along y and x
  Grid grid(const std::vector<std::int64_t>& cells) const override { return channel_.grid(cells); }

  /// The inlet's velocity everywhere, and random eddies of a few sizes of the obstacle, projected.
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;

  Tensor tendency(const Tensor& state, const Grid& grid) const override;

  /// staggered::Coefficient of each cell, float64 [coefficient, y, x].
  Tensor coefficients(const Grid& grid) const;

 private:
  UnsteadyChannelFlowOptions options_;
  ChannelFlow channel_;
};

/// Takes what is divergent out of velocities on the faces of a channel: v − G (D G)⁻¹ D v, of closed faces too.
/// Symmetric but for the weight of the outlet's faces; differentiable. By conjugate gradients in tensor operations, to
/// rounding: for tests and gradients, not for speed.
/// @param coefficients  [staggered::Coefficient, y, x]
/// @param velocity      [batch, 2, y, x], nothing of it at the inlet
Tensor project(const Tensor& coefficients, const Tensor& velocity, const Grid& grid);

}  // namespace locum::physics
