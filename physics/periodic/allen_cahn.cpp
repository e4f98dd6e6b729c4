#include "allen_cahn.hpp"

#include "../requirements.hpp"

namespace locum::physics {

AllenCahn::AllenCahn(AllenCahnOptions options) : options_(options)
{
  require_positive(name(),
                   {{"length", options.length}, {"diffusivity", options.diffusivity}, {"reaction", options.reaction}});
}

Grid AllenCahn::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, cells.size() == 2 ? 2 : 1);
  return periodic_grid(cells, std::vector<double>(cells.size(), options_.length));
}

Sample AllenCahn::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  const auto axes = static_cast<int>(grid.axes.size());
  const PeriodicRandomField field(axes, /*tau=*/10, /*alpha=*/2, axes == 1 ? 40 : 60);
  return draw_states(grid, "u", seed, first, count, [&](RandomStream& random) { return field.draw(random, grid); });
}

FourierForm AllenCahn::form(const Grid& grid) const
{
  const Tensor k2 = squared_wave_number(grid), one = torch::ones_like(k2);
  return {.linear = matrix_of({{options_.reaction - options_.diffusivity * k2}}),
          .expand = matrix_of({{one}}),
          .mean = {},
          .contract = matrix_of({{-options_.reaction * one}}),
          .forcing = {}};
}

}  // namespace locum::physics
