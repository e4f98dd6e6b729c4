#include "navier_stokes.hpp"

#include <numbers>

#include "../requirements.hpp"
#include "vorticity.hpp"

namespace locum::physics {

NavierStokes::NavierStokes(NavierStokesOptions options)
    : options_(options), field_(2, options.tau, options.alpha, options.scale)
{
  require_positive(name(), {{"length", options.length}});
  require_not_negative(name(), {{"viscosity", options.viscosity}, {"drag", options.drag}});
}

Grid NavierStokes::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 2);
  return periodic_grid(cells, {options_.length, options_.length});
}

Sample NavierStokes::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  return draw_states(grid, "vorticity", seed, first, count,
                     [&](RandomStream& random) { return field_.draw(random, grid); });
}

FourierForm NavierStokes::form(const Grid& grid) const
{
  const Tensor dy = derivative(grid, 0), dx = derivative(grid, 1), k2 = squared_wave_number(grid);
  const Velocity velocity = velocity_of(grid, -inverse_or_zero(k2));

  const Tensor y = grid.coordinates(0).unsqueeze(1), x = grid.coordinates(1);
  const double whole = 2 * std::numbers::pi / options_.length;
  Tensor stirring;
  if (options_.stirring == Stirring::diagonal) {
    const Tensor angle = whole * (x + y);
    stirring = options_.amplitude * (angle.sin() + angle.cos());
  }
  if (options_.stirring == Stirring::kolmogorov)
    stirring = options_.amplitude * (whole * static_cast<double>(options_.wave) * y).cos() + torch::zeros_like(x);

  return {.linear = matrix_of({{-options_.viscosity * k2 - options_.drag}}),
          .expand = matrix_of({{velocity.x}, {velocity.y}}),
          .mean = {},
          .contract = matrix_of({{dy * dy - dx * dx, -(dx * dy)}}),
          .forcing = stirring.defined() ? to_modes(stirring.unsqueeze(0).unsqueeze(0))[0] : Tensor()};
}

EnergyAndEnstrophy energy_and_enstrophy(const Tensor& vorticity, const Grid& grid)
{
  const Tensor modes = to_modes(vorticity);
  const Velocity velocity = velocity_of(grid, -inverse_or_zero(squared_wave_number(grid)));
  const Tensor u = from_modes(modes * velocity.x, grid), v = from_modes(modes * velocity.y, grid);
  const auto half_mean = [](const Tensor& values) { return values.flatten(1).mean(1) / 2; };
  return {half_mean(u.square() + v.square()), half_mean(vorticity.square())};
}

}  // namespace locum::physics
