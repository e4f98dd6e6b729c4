#include "navier_stokes_3d.hpp"

#include <array>

#include "../requirements.hpp"
#include "vorticity.hpp"

namespace locum::physics {

using torch::indexing::Slice;

namespace {

/// The projection onto fields without divergence, δ_ij − k_i k_j / |k|²: [component, component, mode…], x first.
std::vector<std::vector<Tensor>> projection(const Grid& grid)
{
  const Tensor inverse = inverse_or_zero(squared_wave_number(grid));
  std::vector<std::vector<Tensor>> entries(3);
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t column = 0; column < 3; ++column) {
      const Tensor part = wave_numbers(grid, 2 - row) * wave_numbers(grid, 2 - column) * inverse;
      entries[row].push_back(row == column ? 1 - part : -part);
    }
  return entries;
}

}  // namespace

NavierStokes3D::NavierStokes3D(NavierStokes3DOptions options) : options_(options)
{
  require_positive(name(), {{"length", options.length}});
  require_not_negative(name(), {{"viscosity", options.viscosity}});
}

Grid NavierStokes3D::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 3);
  return periodic_grid(cells, {options_.length, options_.length, options_.length});
}

Tensor NavierStokes3D::taylor_green(const Grid& grid)
{
  const Tensor z = grid.coordinates(0).view({-1, 1, 1}), y = grid.coordinates(1).view({-1, 1}), x = grid.coordinates(2);
  const Tensor u = x.sin() * y.cos() * z.cos(), v = -x.cos() * y.sin() * z.cos();
  return torch::stack({u, v, torch::zeros_like(u)}).unsqueeze(0);
}

Sample NavierStokes3D::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  // Modes up to 3 of noise on 7 points an axis, whatever the grid: the same flow on all that resolve them.
  const Tensor project = matrix_of(projection(grid));
  auto shape = grid.shape();
  shape.back() = shape.back() / 2 + 1;
  shape.insert(shape.begin(), {1, 3});
  std::vector<Tensor> states;
  for (std::int64_t i = first; i < first + count; ++i) {
    RandomStream random(seed, "initial state", static_cast<std::uint64_t>(i));
    const Tensor noise = to_modes(random.normal({1, 3, 7, 7, 7}));
    Tensor modes = torch::zeros(shape, torch::kComplexDouble);
    for (const auto& z : {Slice(0, 4), Slice(-3, torch::indexing::None)})
      for (const auto& y : {Slice(0, 4), Slice(-3, torch::indexing::None)})
        modes.index_put_({Slice(), Slice(), z, y, Slice(0, 4)}, noise.index({Slice(), Slice(), z, y}));
    modes.index_put_({Slice(), Slice(), 0, 0, 0}, 0);
    const Tensor velocity = from_modes(apply_per_mode(project, modes), grid)[0];
    states.push_back(velocity / velocity.square().sum(0).mean().sqrt());
  }
  Sample sample{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  sample.fields["velocity"] = {.values = torch::stack(states), .unit = "1"};
  return sample;
}

FourierForm NavierStokes3D::form(const Grid& grid) const
{
  const Tensor dz = derivative(grid, 0), dy = derivative(grid, 1), dx = derivative(grid, 2);
  const Tensor viscous = -options_.viscosity * squared_wave_number(grid), one = torch::ones_like(viscous);
  const Tensor none;
  return {
      .linear = matrix_of({{viscous, none, none}, {none, viscous, none}, {none, none, viscous}}),
      .expand = matrix_of(
          {{one, none, none}, {none, one, none}, {none, none, one}, {none, -dz, dy}, {dz, none, -dx}, {-dy, dx, none}}),
      .mean = {},
      .contract = matrix_of(projection(grid)),
      .forcing = {}};
}

}  // namespace locum::physics
