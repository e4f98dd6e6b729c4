#include "advection_diffusion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>

#include <cmath>
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
  if (options_.states == AdvectedStates::pdebench && options_.velocity.size() != 1)
    throw OptionError({.doing = "setting up equation " + name(),
                       .where = "states",
                       .found = fmt::format("pdebench along {} axes", options_.velocity.size()),
                       .expected = "a line",
                       .advice = "states = \"smooth\""});
}

Grid AdvectionDiffusion::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, options_.velocity.size());
  return periodic_grid(cells, std::vector<double>(cells.size(), options_.length));
}

/// @param x  [point], from 0 to 1
static Tensor draw_as_pdebench(const Tensor& x, RandomStream& random)
{
  constexpr double whole = 2 * std::numbers::pi;
  const Tensor waves = random.uniform({2, 3});  // periods, amplitude, phase
  Tensor u = torch::zeros_like(x);
  for (const Tensor& wave : waves.unbind()) {
    const double periods = 1 + std::floor(8 * wave[0].item<double>());
    u = u + wave[1] * (whole * (periods * x + wave[2])).sin();
  }
  const Tensor chance = random.uniform({5});
  const auto is = [&](std::int64_t i, double probability) { return chance[i].item<double>() < probability; };
  if (is(0, 0.1)) u = u.abs();
  if (is(1, 0.5)) u = -u;
  if (is(2, 0.1)) {
    constexpr double edge = 0.01;
    const Tensor left = 0.1 + 0.35 * chance[3], right = 0.55 + 0.35 * chance[4];
    u = u * (((x - left) / edge).tanh() - ((x - right) / edge).tanh()) / 2;
  }
  return u;
}

Sample AdvectionDiffusion::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  constexpr double whole = 2 * std::numbers::pi;
  return draw_states(grid, "u", seed, first, count, [&](RandomStream& random) {
    if (options_.states == AdvectedStates::pdebench)
      return draw_as_pdebench(grid.coordinates(0) / options_.length, random);
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
