#include "channel_flow.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>

#include "../requirements.hpp"

namespace locum::physics {

[[noreturn]] static void refuse(const char* option, const std::string& found, const std::string& expected,
                                const std::string& advice = "")
{
  throw OptionError({.doing = "setting up equation channel_flow",
                     .where = option,
                     .found = found,
                     .expected = expected,
                     .advice = advice});
}

static Shape shape_named(const std::string& name)
{
  std::vector<std::string> names;
  for (const auto& [shape, its_name] : option_names(Shape())) {
    if (its_name == name) return shape;
    names.emplace_back(its_name);
  }
  refuse("shapes", fmt::format("\"{}\"", name), fmt::format("any of {}", fmt::join(names, ", ")),
         nearest_name(name, names));
}

/// @throws OptionError  unless `range` is a smallest and a largest of positive values.
static void require_range(const char* option, const std::vector<double>& range)
{
  if (range.size() != 2 || !(range[0] > 0) || !(range[0] <= range[1]))
    refuse(option, fmt::format("[{}]", fmt::join(range, ", ")), "a smallest and a largest value, m");
}

ChannelFlow::ChannelFlow(ChannelFlowOptions options) : options_(std::move(options))
{
  require_positive(name(), {{"length", options_.length},
                            {"height", options_.height},
                            {"viscosity", options_.viscosity},
                            {"velocity", options_.velocity}});
  require_not_negative(name(), {{"gap", options_.gap}});
  require_range("sizes", options_.sizes);
  require_range("places", options_.places);
  for (const std::string& shape : options_.shapes) shapes_.push_back(shape_named(shape));
  if (shapes_.empty()) refuse("shapes", "none", "at least one shape", "shapes = [\"none\"]");
  const double largest = options_.sizes[1];
  if (largest + 2 * options_.gap > options_.height)
    refuse("sizes", fmt::format("{} m across, {} m from either wall", largest, options_.gap),
           fmt::format("what fits a channel {} m high", options_.height));
  // No shape reaches farther along the flow than a triangle: its size times 2 / √3 at one side.
  if (options_.places[0] < 0.7 * largest || options_.places[1] + 0.7 * largest > options_.length)
    refuse("places", fmt::format("[{}]", fmt::join(options_.places, ", ")),
           fmt::format("obstacles {} m large within {} m", largest, options_.length));
}

Grid ChannelFlow::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 2);
  Grid made = Grid::cell_centres(cells, {options_.height, options_.length});
  for (Axis& axis : made.axes) axis.unit = "m";
  return made;
}

Sample ChannelFlow::problem(const Grid& grid, const Obstacle& obstacle) const
{
  const Tensor distance = obstacle.signed_distance(grid);
  const Tensor y = grid.coordinates(0).unsqueeze(1).expand_as(distance);
  Sample made{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  const auto add = [&](const char* field, const Tensor& values, const char* unit) {
    made.fields[field] = {.values = values.unsqueeze(0).unsqueeze(0).contiguous(), .unit = unit};
  };
  add("obstacle_distance", distance, "m");
  add("wall_distance", torch::minimum(y, options_.height - y), "m");
  add("fluid", (distance > 0).to(torch::kFloat64), "1");
  return made;
}

Sample ChannelFlow::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  Sample problems;
  for (std::int64_t i = first; i < first + count; ++i) {
    const Tensor numbers = spread_point(options_.spread, seed, "obstacle", i, 4);
    const auto between = [&](std::int64_t which, double low, double high) {
      return low + (high - low) * numbers[which].item<double>();
    };
    Obstacle obstacle;
    const auto kinds = static_cast<double>(shapes_.size());
    obstacle.shape = shapes_[std::min(shapes_.size() - 1, static_cast<std::size_t>(between(0, 0, kinds)))];
    obstacle.size = between(1, options_.sizes[0], options_.sizes[1]);
    obstacle.x = between(2, options_.places[0], options_.places[1]);
    const double room = obstacle.size / 2 + options_.gap;
    obstacle.y = between(3, room, options_.height - room);
    const Sample made = problem(grid, obstacle);
    if (i == first) problems = made;
    else problems.append(made);
  }
  return problems;
}

FlowBounds ChannelFlow::bounds(const Grid& grid) const
{
  const auto rows = grid.axes[0].points;
  FlowBounds around{.channel = true, .inflow = {}, .lid = 0};
  double sum = 0;
  for (std::int64_t j = 0; j < rows; ++j) {
    const double y = (static_cast<double>(j) + 0.5) / static_cast<double>(rows);
    around.inflow.push_back(options_.inflow == Inflow::uniform ? 1 : y * (1 - y));
    sum += around.inflow.back();
  }
  for (double& velocity : around.inflow) velocity *= options_.velocity * static_cast<double>(rows) / sum;
  return around;
}

Tensor ChannelFlow::fluid(const Sample& problem) const
{
  const Grid& given = problem.grid();
  const Tensor& distance = problem.field("obstacle_distance").values;
  const auto expected = [&](const std::string& what, const std::string& found, const std::string& wanted) {
    throw ShapeError({.doing = "reading a problem of channel_flow",
                      .where = what,
                      .found = found,
                      .expected = wanted,
                      .advice = "[equation] length and height are the channel's that the data was made for"});
  };
  if (given.axes.size() != 2) expected("its grid", fmt::format("{} axes", given.axes.size()), "y and x");
  const double lengths[] = {options_.height, options_.length};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const double length = given.axes[axis].spacing * static_cast<double>(given.axes[axis].points);
    if (std::abs(length - lengths[axis]) > 1e-5 * lengths[axis])  // files may store float32
      expected(fmt::format("axis {}", given.axes[axis].name), fmt::format("{} m of cells", length),
               fmt::format("{} m", lengths[axis]));
  }
  const std::vector<std::int64_t> shape = {problem.batch(), 1, given.axes[0].points, given.axes[1].points};
  if (distance.sizes() != torch::IntArrayRef(shape))
    expected("field obstacle_distance", to_string(distance.sizes()),
             fmt::format("{}, [batch, 1, y, x]", to_string(shape)));
  check_finite(problem, "reading a problem of channel_flow", "problem");
  return (distance > 0).squeeze(1);
}

Tensor ChannelFlow::viscosity(const Sample& problem) const
{
  return torch::full({problem.batch()}, options_.viscosity, torch::kFloat64);
}

}  // namespace locum::physics
