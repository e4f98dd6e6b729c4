#include "burgers_2d.hpp"

#include <cmath>
#include <numbers>

#include "../requirements.hpp"

namespace locum::physics {

Burgers2D::Burgers2D(Burgers2DOptions options) : options_(options), field_(2, options.tau, options.alpha, options.scale)
{
  require_positive(name(), {{"viscosity", options.viscosity}, {"length", options.length}});
}

Grid Burgers2D::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 2);
  return periodic_grid(cells, {options_.length, options_.length});
}

Sample Burgers2D::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  Sample states = draw_states(grid, "velocity", seed, first, count, [&](RandomStream& random) {
    const Tensor along_x = field_.draw(random, grid);
    return torch::stack({along_x, field_.draw(random, grid)});
  });
  Tensor& values = states.fields["velocity"].values;
  values = values.squeeze(1);  // of [batch, 1, component, y, x]
  return states;
}

FourierForm Burgers2D::form(const Grid& grid) const
{
  const Tensor dy = derivative(grid, 0), dx = derivative(grid, 1);
  const Tensor viscous = -options_.viscosity * squared_wave_number(grid), one = torch::ones_like(viscous), none;
  return {.linear = matrix_of({{viscous, none}, {none, viscous}}),
          .expand = matrix_of({{one, none}, {none, one}, {dx, none}, {dy, none}, {none, dx}, {none, dy}}),
          .mean = {},
          .contract = matrix_of({{-one, none}, {none, -one}}),
          .forcing = {}};
}

Tensor burgers_exact(const Burgers2DOptions& options, const Grid& grid, double time)
{
  const double k = 2 * std::numbers::pi / options.length;
  const double decay = std::exp(-options.viscosity * k * k * time);
  const Tensor y = k * grid.coordinates(0).unsqueeze(1), x = k * grid.coordinates(1);
  const Tensor along_x = decay * x.sin(), across = decay * decay * (x + y).sin();  // −∇φ / k
  const Tensor phi = 3 + decay * x.cos() + decay * decay * (x + y).cos();
  return 2 * options.viscosity * k * torch::stack({(along_x + across) / phi, across / phi});
}

}  // namespace locum::physics
