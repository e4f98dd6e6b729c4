#include "advection_diffusion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>

#include <numbers>

#include "../requirements.hpp"

namespace locum::physics {

AdvectionDiffusion::AdvectionDiffusion(AdvectionDiffusionOptions options) : options_(std::move(options))
{
  require_positive(name(), {{"length", options_.length}});
  require_not_negative(name(), {{"diffusivity", options_.diffusivity}});
  if (options_.velocity.empty() || options_.velocity.size() > 3)
    throw OptionError({.doing = "setting up equation " + name(),
                       .where = "velocity",
                       .found = fmt::format("[{}]", fmt::join(options_.velocity, ", ")),
                       .expected = "one to three numbers, one an axis",
                       .advice = "velocity = [1.0]"});
}

Grid AdvectionDiffusion::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, options_.velocity.size());
  return periodic_grid(cells, std::vector<double>(cells.size(), options_.length));
}

Sample AdvectionDiffusion::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  constexpr double whole = 2 * std::numbers::pi;
  return draw_states(grid, "u", seed, first, count, [&](RandomStream& random) {
    Tensor u = torch::zeros({}, torch::kFloat64);
    for (std::size_t axis = 0; axis < grid.axes.size(); ++axis) {
      std::vector<std::int64_t> shape(grid.axes.size(), 1);
      shape[axis] = grid.axes[axis].points;
      const Tensor angle = (grid.coordinates(axis) * (whole / options_.length)).view(shape);
      const Tensor numbers = random.uniform({4, 2});
      for (int k = 1; k <= 4; ++k) u = u + numbers[k - 1][0] * (k * angle + whole * numbers[k - 1][1]).sin();
    }
    return u;
  });
}

FourierForm AdvectionDiffusion::form(const Grid& grid) const
{
  Tensor linear = -options_.diffusivity * squared_wave_number(grid);
  for (std::size_t axis = 0; axis < grid.axes.size(); ++axis)
    linear = linear - options_.velocity[axis] * derivative(grid, axis);
  const Tensor zero = torch::zeros_like(linear);
  return {.linear = matrix_of({{linear}}),
          .expand = matrix_of({{zero}}),
          .mean = {},
          .contract = matrix_of({{zero}}),
          .forcing = {}};
}

}  // namespace locum::physics
