#include "burgers.hpp"

#include <cmath>
#include <numbers>

#include "../requirements.hpp"

namespace locum::physics {

Burgers::Burgers(BurgersOptions options) : options_(options), field_(1, options.tau, options.alpha, options.scale)
{
  require_positive(name(), {{"viscosity", options.viscosity}, {"length", options.length}});
}

Grid Burgers::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 1);
  return periodic_grid(cells, {options_.length});
}

Sample Burgers::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  return draw_states(grid, "u", seed, first, count, [&](RandomStream& random) { return field_.draw(random, grid); });
}

FourierForm Burgers::form(const Grid& grid) const
{
  const Tensor d = derivative(grid, 0);
  return {.linear = matrix_of({{-options_.viscosity * squared_wave_number(grid)}}),
          .expand = matrix_of({{torch::ones_like(d)}}),
          .mean = {},
          .contract = matrix_of({{-0.5 * d}}),
          .forcing = {}};
}

Tensor burgers_exact(const BurgersOptions& options, const Grid& grid, double time)
{
  const double k = 2 * std::numbers::pi / options.length;
  const double decay = std::exp(-options.viscosity * k * k * time);
  const Tensor x = grid.coordinates(0);
  return 2 * options.viscosity * k * decay * (k * x).sin() / (2 + decay * (k * x).cos());
}

}  // namespace locum::physics
