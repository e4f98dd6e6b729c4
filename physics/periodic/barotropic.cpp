#include "barotropic.hpp"

#include "../requirements.hpp"
#include "periodic_random_field.hpp"
#include "vorticity.hpp"

namespace locum::physics {

Barotropic::Barotropic(BarotropicOptions options) : options_(options)
{
  require_positive(name(),
                   {{"length", options.length}, {"viscosity_order", static_cast<double>(options.viscosity_order)}});
  require_not_negative(
      name(),
      {{"deformation_radius", options.deformation_radius}, {"drag", options.drag}, {"viscosity", options.viscosity}});
}

Grid Barotropic::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 2);
  return periodic_grid(cells, {options_.length, options_.length});
}

Sample Barotropic::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  const PeriodicRandomField field(2, /*tau=*/40, /*alpha=*/4, /*scale=*/1);
  return draw_states(grid, "potential_vorticity", seed, first, count, [&](RandomStream& random) {
    const Tensor values = field.draw(random, grid);
    return values / values.square().mean().sqrt();
  });
}

FourierForm Barotropic::form(const Grid& grid) const
{
  const Tensor dy = derivative(grid, 0), dx = derivative(grid, 1), k2 = squared_wave_number(grid);
  const double radius = options_.deformation_radius;
  const Tensor psi = -inverse_or_zero(k2 + (radius > 0 ? 1 / (radius * radius) : 0));
  const Velocity velocity = velocity_of(grid, psi);

  Tensor hills;
  if (options_.topography != 0) {
    const double n = 2 * std::numbers::pi / options_.length * static_cast<double>(options_.topography_waves);
    hills = options_.topography * (n * grid.coordinates(0)).cos().unsqueeze(1) * (n * grid.coordinates(1)).cos();
    hills = to_modes(hills.unsqueeze(0).unsqueeze(0))[0];
    hills = torch::cat({torch::zeros_like(hills), torch::zeros_like(hills), hills});
  }
  return {.linear = matrix_of({{-options_.beta * dx * psi + options_.drag * k2 * psi -
                                options_.viscosity * k2.pow(static_cast<double>(options_.viscosity_order))}}),
          .expand = matrix_of({{velocity.x}, {velocity.y}, {torch::ones_like(k2)}}),
          .mean = hills,
          .contract = matrix_of({{-dx, -dy}}),
          .forcing = {}};
}

}  // namespace locum::physics
