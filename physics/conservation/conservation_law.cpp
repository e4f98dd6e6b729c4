#include "conservation_law.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>

#include "../requirements.hpp"

namespace locum::physics {

Strip::Strip(std::int64_t variables, std::int64_t rows, std::int64_t columns, int axes)
    : variables_(variables), rows_(rows), columns_(columns), axes_(axes)
{
  values_.resize(static_cast<std::size_t>(variables * (rows + (axes == 2 ? 2 * ghosts : 0)) * stride()));
}

ConservationLaw::ConservationLaw(const std::string& name, VolumeOptions options) : volumes_(std::move(options))
{
  if (volumes_.lengths.empty() || volumes_.lengths.size() > 2)
    throw OptionError({.doing = "setting up equation " + name,
                       .where = "lengths",
                       .found = fmt::format("[{}]", fmt::join(volumes_.lengths, ", ")),
                       .expected = "one or two numbers, one an axis",
                       .advice = "lengths = [1.0, 1.0]"});
  for (const double length : volumes_.lengths) require_positive(name, {{"lengths", length}});
}

Grid ConservationLaw::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, volumes_.lengths.size());
  Grid grid = Grid::cell_centres(cells, volumes_.lengths);
  grid.axes.back().periodic = volumes_.boundary_x == Boundary::periodic;
  if (axes() == 2) grid.axes.front().periodic = volumes_.boundary_y == Boundary::periodic;
  return grid;
}

void ConservationLaw::require_grid(const Grid& grid) const
{
  bool fits = grid.axes.size() == volumes_.lengths.size();
  for (std::size_t i = 0; fits && i < grid.axes.size(); ++i) fits = grid.axes[i].points >= Strip::ghosts;
  if (fits) return;
  throw ShapeError({.doing = "advancing equation " + name(),
                    .where = "the state's grid",
                    .found = to_string(grid.shape()),
                    .expected = fmt::format("{} axes of at least {} cells", axes(), Strip::ghosts),
                    .advice = "Equation::grid() makes one"});
}

Tensor ConservationLaw::tendency(const Tensor& state, const Grid& grid) const
{
  const auto volumes = discretise(grid);
  if (state.dim() != axes() + 2 || state.size(1) != volumes->variables() || state.sizes().slice(2) != grid.shape())
    throw ShapeError({.doing = "computing the tendency of equation " + name(),
                      .where = "the state",
                      .found = to_string(state.sizes()),
                      .expected = fmt::format("[batch, {}, {}]", volumes->variables(), fmt::join(grid.shape(), ", ")),
                      .advice = ""});
  const Tensor conserved = volumes->conserved(state);
  return volumes->state_rate(conserved, volumes->rate(conserved));
}

}  // namespace locum::physics
