#include "lid_driven_cavity.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>

#include <cmath>

#include "../requirements.hpp"

namespace locum::physics {

LidDrivenCavity::LidDrivenCavity(LidDrivenCavityOptions options) : options_(std::move(options))
{
  const auto& range = options_.reynolds;
  if (range.size() != 2 || !(range[0] > 0) || !(range[0] <= range[1]))
    throw OptionError({.doing = "setting up equation lid_driven_cavity",
                       .where = "reynolds",
                       .found = fmt::format("[{}]", fmt::join(range, ", ")),
                       .expected = "a smallest and a largest Reynolds number",
                       .advice = "reynolds = [100, 1000]"});
}

Grid LidDrivenCavity::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 2);
  return Grid::cell_centres(cells, {1, 1});
}

Sample LidDrivenCavity::problem(const Grid& grid, double reynolds)
{
  Sample made{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  const Tensor values = torch::full({1, 1, grid.axes[0].points, grid.axes[1].points}, 1 / reynolds, torch::kFloat64);
  made.fields["viscosity"] = {.values = values, .unit = "1"};
  return made;
}

Sample LidDrivenCavity::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  Sample problems;
  for (std::int64_t i = first; i < first + count; ++i) {
    const double ratio = options_.reynolds[1] / options_.reynolds[0];
    const Sample made =
        problem(grid, options_.reynolds[0] *
                          std::pow(ratio, spread_point(options_.spread, seed, "Reynolds number", i, 1).item<double>()));
    if (i == first) problems = made;
    else problems.append(made);
  }
  return problems;
}

FlowBounds LidDrivenCavity::bounds(const Grid&) const { return {.channel = false, .inflow = {}, .lid = 1}; }

Tensor LidDrivenCavity::fluid(const Sample& problem) const
{
  const Tensor& nu = problem.field("viscosity").values;
  return torch::ones({nu.size(0), nu.size(2), nu.size(3)}, torch::kBool);
}

Tensor LidDrivenCavity::viscosity(const Sample& problem) const
{
  const Tensor& values = problem.field("viscosity").values;
  const auto wrong = [&](const std::string& found, const std::string& expected) {
    throw DataError({.doing = "reading a problem of lid_driven_cavity",
                     .where = "field viscosity",
                     .found = found,
                     .expected = expected,
                     .advice = ""});
  };
  const Grid& given = problem.grid();
  const std::vector<std::int64_t> shape = {problem.batch(), 1, given.axes[0].points, given.axes[1].points};
  if (values.sizes() != torch::IntArrayRef(shape)) wrong(to_string(values.sizes()), to_string(shape));
  const Tensor members = values.to(torch::kFloat64).flatten(1);
  const Tensor low = std::get<0>(members.min(1)), high = std::get<0>(members.max(1));
  for (std::int64_t m = 0; m < members.size(0); ++m)
    if (!(low[m].item<double>() > 0) || !(high[m].item<double>() <= low[m].item<double>() * (1 + 1e-5)))
      wrong(fmt::format("{} to {} in member {}", low[m].item<double>(), high[m].item<double>(), m),
            "one positive value for all cells");
  return members.mean(1);
}

}  // namespace locum::physics
