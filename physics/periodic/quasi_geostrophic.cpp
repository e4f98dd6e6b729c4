#include "quasi_geostrophic.hpp"

#include <numbers>

#include "../requirements.hpp"
#include "vorticity.hpp"

namespace locum::physics {

QuasiGeostrophic::QuasiGeostrophic(QuasiGeostrophicOptions options) : options_(options)
{
  require_positive(name(), {{"length", options.length},
                            {"deformation_radius", options.deformation_radius},
                            {"layer_ratio", options.layer_ratio},
                            {"viscosity_order", static_cast<double>(options.viscosity_order)}});
  require_not_negative(name(), {{"bottom_drag", options.bottom_drag}, {"viscosity", options.viscosity}});
  f1_ = 1 / (options.deformation_radius * options.deformation_radius * (1 + options.layer_ratio));
  f2_ = options.layer_ratio * f1_;
}

Grid QuasiGeostrophic::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 2);
  Grid grid = periodic_grid(cells, {options_.length, options_.length});
  for (Axis& axis : grid.axes) axis.unit = "m";
  return grid;
}

Sample QuasiGeostrophic::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  constexpr std::int64_t waves = 10;
  constexpr double size = 1e-6;  // 1/s: a thousandth of what grows from it
  const auto phases = [&](std::size_t axis) {
    return grid.coordinates(axis) * (2 * std::numbers::pi / options_.length);
  };
  const Tensor y = phases(0), x = phases(1), k = torch::arange(-waves, waves + 1, torch::kFloat64);
  const Tensor in_y = torch::exp(torch::complex(torch::zeros_like(k), k) * y.unsqueeze(1));  // [y, k]
  const Tensor in_x = torch::exp(torch::complex(torch::zeros_like(k), k).unsqueeze(1) * x);  // [k, x]
  Sample states = draw_states(grid, "potential_vorticity_1", seed, first, count, [&](RandomStream& random) {
    Tensor amplitudes =
        torch::complex(random.normal({2 * waves + 1, 2 * waves + 1}), random.normal({2 * waves + 1, 2 * waves + 1}));
    amplitudes[waves][waves] = 0;
    return torch::real(in_y.mm(amplitudes).mm(in_x)) * (size / static_cast<double>(2 * waves + 1));
  });
  states.fields["potential_vorticity_1"].unit = "s-1";
  states.fields["potential_vorticity_2"] = {.values = torch::zeros_like(states.field("potential_vorticity_1").values),
                                            .unit = "s-1"};
  return states;
}

Tensor QuasiGeostrophic::inversion(const Grid& grid) const
{
  // q = A ψ with A = [[−k² − F1, F1], [F2, −k² − F2]], whose determinant is k² (k² + F1 + F2).
  const Tensor k2 = squared_wave_number(grid), inverse = inverse_or_zero(k2 * (k2 + f1_ + f2_));
  return matrix_of({{-(k2 + f2_) * inverse, -f1_ * inverse}, {-f2_ * inverse, -(k2 + f1_) * inverse}});
}

FourierForm QuasiGeostrophic::form(const Grid& grid) const
{
  const Tensor dy = derivative(grid, 0), dx = derivative(grid, 1), k2 = squared_wave_number(grid);
  const Tensor psi = inversion(grid);
  const double shear = options_.upper_flow - options_.lower_flow;
  const double gradient[] = {options_.beta + f1_ * shear, options_.beta - f2_ * shear};
  const double flow[] = {options_.upper_flow, options_.lower_flow};
  const Tensor dissipation = options_.viscosity * k2.pow(static_cast<double>(options_.viscosity_order));

  const auto linear = [&](int layer, int of) {
    Tensor entry = -gradient[layer] * dx * psi[layer][of];
    if (layer == of) entry = entry - flow[layer] * dx - dissipation;
    if (layer == 1) entry = entry + options_.bottom_drag * k2 * psi[1][of];
    return entry;
  };
  std::vector<std::vector<Tensor>> expand;
  for (int layer = 0; layer < 2; ++layer) {
    expand.push_back({-dy * psi[layer][0], -dy * psi[layer][1]});
    expand.push_back({dx * psi[layer][0], dx * psi[layer][1]});
    expand.push_back({Tensor(), Tensor()});
    expand.back()[static_cast<std::size_t>(layer)] = torch::ones_like(k2);
  }
  return {.linear = matrix_of({{linear(0, 0), linear(0, 1)}, {linear(1, 0), linear(1, 1)}}),
          .expand = matrix_of(expand),
          .mean = {},
          .contract = matrix_of({{-dx, -dy, Tensor(), Tensor()}, {Tensor(), Tensor(), -dx, -dy}}),
          .forcing = {}};
}

}  // namespace locum::physics
