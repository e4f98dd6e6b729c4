#include "baroclinic_jet.hpp"

#include "../requirements.hpp"
#include "vorticity.hpp"

namespace locum::physics {

BaroclinicJet::BaroclinicJet(BaroclinicJetOptions options) : options_(options)
{
  require_positive(name(),
                   {{"width", options.width}, {"breadth", options.breadth}, {"jet_breadth", options.jet_breadth}});
  require_not_negative(name(), {{"relaxation", options.relaxation},
                                {"friction", options.friction},
                                {"sponge", options.sponge},
                                {"viscosity", options.viscosity}});
}

Grid BaroclinicJet::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 2);
  return periodic_grid(cells, {options_.breadth, options_.width});
}

/// Fourier coefficients of a profile along y, [mode…].
static Tensor modes_of_profile(const Tensor& profile, const Grid& grid)
{
  return to_modes(profile.unsqueeze(1).expand(grid.shape()).unsqueeze(0).unsqueeze(0))[0][0];
}

/// sech²(distance from the walls / σ)
Tensor BaroclinicJet::at_walls(const Grid& grid) const
{
  const Tensor y = grid.coordinates(0);
  return modes_of_profile((torch::minimum(y, options_.breadth - y) / options_.jet_breadth).cosh().pow(-2), grid);
}

/// ψ_R: −∂ψ_R/∂y is the jet in the middle without that at the walls.
Tensor BaroclinicJet::jet(const Grid& grid) const
{
  const Tensor y = grid.coordinates(0) - options_.breadth / 2;
  const Tensor flow = modes_of_profile((y / options_.jet_breadth).cosh().pow(-2), grid) - at_walls(grid);
  return -flow * inverse_or_zero(derivative(grid, 0));
}

Tensor BaroclinicJet::inversion(const Grid& grid) const
{
  // ψ_1 + ψ_2 = −(q_1 + q_2) / k², ψ_1 − ψ_2 = −(q_1 − q_2) / (k² + 2)
  const Tensor k2 = squared_wave_number(grid), together = -0.5 * inverse_or_zero(k2), apart = -0.5 / (k2 + 2);
  return matrix_of({{together + apart, together - apart}, {together - apart, together + apart}});
}

Sample BaroclinicJet::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  constexpr std::int64_t waves = 6;
  constexpr double size = 0.1;
  const auto waves_along = [&](std::size_t axis) {
    const Axis& along = grid.axes[axis];
    const Tensor k = torch::arange(-waves, waves + 1, torch::kFloat64);
    const Tensor phase = grid.coordinates(axis) * (2 * M_PI / (static_cast<double>(along.points) * along.spacing));
    return torch::exp(torch::complex(torch::zeros({}, torch::kFloat64), phase.unsqueeze(1) * k));  // [point, k]
  };
  const Tensor in_y = waves_along(0), in_x = waves_along(1);
  // q_1 − q_2 = Δ(ψ_1 − ψ_2) − 2 (ψ_1 − ψ_2)
  const Tensor half = from_modes(
      (-0.5 * options_.jet * (squared_wave_number(grid) + 2) * jet(grid)).unsqueeze(0).unsqueeze(0), grid)[0][0];
  Sample states = draw_states(grid, "q1", seed, first, count, [&](RandomStream& random) {
    const Tensor amplitudes =
        torch::complex(random.normal({2 * waves + 1, 2 * waves + 1}), random.normal({2 * waves + 1, 2 * waves + 1}));
    amplitudes[waves][waves] = 0;
    return half + torch::real(in_y.mm(amplitudes).mm(in_x.t())) * (size / static_cast<double>(2 * waves + 1));
  });
  states.fields["q2"] = {.values = -half.expand_as(states.field("q1").values).clone(), .unit = "1"};
  return states;
}

FourierForm BaroclinicJet::form(const Grid& grid) const
{
  const Tensor dy = derivative(grid, 0), dx = derivative(grid, 1), k2 = squared_wave_number(grid);
  const Tensor psi = inversion(grid), one = torch::ones_like(k2), none;
  const Tensor dissipation = options_.viscosity * (wave_numbers(grid, 0).pow(8) + wave_numbers(grid, 1).pow(8));
  const Tensor eddies = (wave_numbers(grid, 1) != 0).to(torch::kFloat64) * one;

  const auto linear = [&](int layer, int of) {
    Tensor entry = -options_.beta * dx * psi[layer][of];
    const double sign = layer == 0 ? 1 : -1;
    entry = entry + sign * options_.relaxation * (psi[0][of] - psi[1][of]);
    if (layer == of) entry = entry - dissipation;
    if (layer == 1) entry = entry + options_.friction * k2 * psi[1][of];
    return entry;
  };
  std::vector<std::vector<Tensor>> expand;
  for (int layer = 0; layer < 2; ++layer) {
    expand.push_back({-dy * psi[layer][0], -dy * psi[layer][1]});
    expand.push_back({dx * psi[layer][0], dx * psi[layer][1]});
    expand.push_back(layer == 0 ? std::vector<Tensor>{one, none} : std::vector<Tensor>{none, one});
  }
  expand.push_back({eddies, none});
  expand.push_back({none, eddies});
  expand.push_back({none, none});
  Tensor mean = torch::zeros_like(matrix_of(expand).select(1, 0));
  mean[8] = at_walls(grid);
  const Tensor x = -options_.advection * dx, y = -options_.advection * dy, damped = -options_.sponge * one;
  const Tensor towards = options_.relaxation * options_.jet * jet(grid);
  return {.linear = matrix_of({{linear(0, 0), linear(0, 1)}, {linear(1, 0), linear(1, 1)}}),
          .expand = matrix_of(expand),
          .mean = mean,
          .contract = matrix_of({{x, y, none, none, damped, none}, {none, none, x, y, none, damped}}),
          .forcing = torch::stack({-towards, towards})};
}

std::vector<DiagnosticField> BaroclinicJet::diagnostics(const Grid& grid) const
{
  const Tensor psi = inversion(grid);
  return {{"psi1", psi[0], {}}, {"psi2", psi[1], {}}, {"psi_r", {}, jet(grid)}};
}

}  // namespace locum::physics
