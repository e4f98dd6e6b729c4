#pragma once
#include "../spread.hpp"
#include "incompressible_flow.hpp"
#include "obstacle.hpp"

namespace locum::physics {

/// How fast a fluid enters a channel.
enum class Inflow { uniform, parabolic };
constexpr auto option_names(Inflow)
{
  return std::array{std::pair{Inflow::uniform, "uniform"}, std::pair{Inflow::parabolic, "parabolic"}};
}

/// A channel and its random obstacles; the defaults are like those of DeepCFD: Ribeiro et al., arXiv:2004.08826.
struct ChannelFlowOptions {
  double length = 0.26;
  double height = 0.12;
  double viscosity = 1e-4;
  double velocity = 0.1;
  Inflow inflow = Inflow::uniform;
  std::vector<std::string> shapes = {"circle", "square", "triangle", "backward_triangle", "rhombus"};
  std::vector<double> sizes = {0.02, 0.06};
  std::vector<double> places = {0.06, 0.12};
  double gap = 0.02;
  Spread spread = Spread::random;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("length", length, "of the channel, m");
    option("height", height, "of the channel, m");
    option("viscosity", viscosity, "ν, m²/s");
    option("velocity", velocity, "mean velocity at the inlet, m/s");
    option("inflow", inflow, "profile of the velocity at the inlet: uniform or parabolic");
    option("shapes", shapes, "obstacles drawn from: circle, square, triangle, backward_triangle, rhombus, none");
    option("sizes", sizes, "smallest and largest obstacle across the flow, m");
    option("places", places, "nearest and farthest middle of an obstacle from the inlet, m");
    option("gap", gap, "least distance of an obstacle from the walls, m");
    option("spread", spread, "of shapes, sizes and places over these: random, or sobol (evenly)");
  }
};

/// Flow through a channel between two walls, past an obstacle: IncompressibleFlow with
/// fields of a problem, [batch, 1, y, x], at the centres of equal cells:
///   obstacle_distance  distance from the obstacle, negative in it, m: a cell is solid where this is not positive
///   wall_distance      distance from the nearer wall, m
///   fluid              1 where there is fluid, 0 in the obstacle
/// Only obstacle_distance matters to the reference solver; the others are there for surrogates to read.
class ChannelFlow : public IncompressibleFlow {
 public:
  /// @throws OptionError  if a length, viscosity or velocity is not positive, a shape is unknown, or an obstacle does
  ///         not fit the channel
  explicit ChannelFlow(ChannelFlowOptions options = {});

  const ChannelFlowOptions& options() const noexcept { return options_; }

  std::string name() const override { return "channel_flow"; }
  std::vector<std::string> inputs() const override { return {"obstacle_distance", "wall_distance", "fluid"}; }
  /// @param cells  along y and x
  Grid grid(const std::vector<std::int64_t>& cells) const override;
  Sample draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const override;

  /// The problem of one given obstacle.
  Sample problem(const Grid& grid, const Obstacle& obstacle) const;

 protected:
  FlowBounds bounds(const Grid& grid) const override;
  Tensor fluid(const Sample& problem) const override;
  Tensor viscosity(const Sample& problem) const override;

 private:
  ChannelFlowOptions options_;
  std::vector<Shape> shapes_;
};

}  // namespace locum::physics
