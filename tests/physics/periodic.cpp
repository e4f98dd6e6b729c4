#include <locum/core/random.hpp>
#include <locum/physics/periodic/advection_diffusion.hpp>
#include <locum/physics/periodic/kuramoto_sivashinsky.hpp>
#include <locum/physics/periodic/navier_stokes.hpp>
#include <locum/physics/periodic/navier_stokes_3d.hpp>
#include <locum/physics/periodic/periodic_random_field.hpp>
#include <locum/physics/periodic/quasi_geostrophic.hpp>
#include <locum/physics/periodic/vorticity.hpp>
#include <locum/physics/step_residual.hpp>

#include <cmath>
#include <numbers>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::physics;

TEST_CASE("periodic random field: the same function on every grid, of the variance asked for", "[physics]")
{
  const PeriodicRandomField field(2, 7, 2.5, std::pow(7, 1.5));
  const auto on = [&](std::int64_t ny, std::int64_t nx, int index) {
    RandomStream random(4, "field", static_cast<std::uint64_t>(index));
    return field.draw(random, periodic_grid({ny, nx}, {1, 1}));
  };
  using torch::indexing::Slice;
  CHECK(tests::relative_distance(on(256, 384, 0).index({Slice(0, 256, 2), Slice(0, 384, 3)}), on(128, 128, 0)) < 1e-3);
  CHECK_THAT(on(64, 64, 1).mean().item<double>(), WithinAbs(0, 1e-14));

  double expected = 0, found = 0;
  for (int k = -64; k <= 64; ++k)
    for (int l = -64; l <= 64; ++l)
      if (k != 0 || l != 0)
        expected += std::pow(7, 3) * std::pow(4 * std::numbers::pi * std::numbers::pi * (k * k + l * l) + 49, -2.5);
  constexpr int draws = 400;
  for (int i = 0; i < draws; ++i) found += on(32, 32, i).square().mean().item<double>() / draws;
  CHECK_THAT(found / expected, WithinAbs(1, 0.1));
  CHECK(tests::says(tests::message_of([] { PeriodicRandomField(2, 7, 1, 1); }), {"alpha = 1", "alpha > 1"}));
}

/// Energy and the like are conserved by the products alone where the grid resolves them: modes below a third.
static Tensor smooth_state(const PeriodicEquation& equation, const Grid& grid)
{
  const Sample state = equation.draw(grid, 2, 0, 2);
  Tensor modes = to_modes(stack_channels(state, equation.state()));
  for (std::size_t axis = 0; axis < grid.axes.size(); ++axis) {
    const Tensor k = wave_numbers(grid, axis) * (grid.axes[axis].spacing / (2 * std::numbers::pi));
    modes = modes * (3 * k.abs() < 1).to(torch::kFloat64);
  }
  return from_modes(modes, grid);
}

TEST_CASE("Navier-Stokes: energy and enstrophy budgets close to rounding", "[physics]")
{
  const NavierStokes inviscid({.length = 2 * std::numbers::pi, .viscosity = 0, .stirring = Stirring::none});
  const Grid grid = inviscid.grid({48, 64});
  const Tensor w = smooth_state(inviscid, grid), rate = inviscid.tendency(w, grid);
  const Tensor psi = from_modes(-to_modes(w) * inverse_or_zero(squared_wave_number(grid)), grid);
  CHECK(((w * rate).sum() / (w.norm() * rate.norm())).abs().item<double>() < 1e-14);
  CHECK(((psi * rate).sum() / (psi.norm() * rate.norm())).abs().item<double>() < 1e-14);

  const NavierStokes viscous(
      {.length = 2 * std::numbers::pi, .viscosity = 0.3, .drag = 0.2, .stirring = Stirring::none});
  const auto [energy, enstrophy] = energy_and_enstrophy(w, grid);
  const Tensor losses = -((psi * viscous.tendency(w, grid)).flatten(1).mean(1));
  CHECK(tests::relative_distance(-losses, 2 * 0.3 * enstrophy + 2 * 0.2 * energy) < 1e-12);
}

TEST_CASE("Navier-Stokes in the cube: energy and helicity are conserved by the products, and no divergence arises",
          "[physics]")
{
  const NavierStokes3D equation({.viscosity = 0});
  const Grid grid = equation.grid({16, 18, 20});
  const Tensor u = equation.draw(grid, 2, 0, 2).field("velocity").values;
  const Tensor rate = equation.tendency(u, grid), modes = to_modes(u), rate_modes = to_modes(rate);
  const Tensor dz = derivative(grid, 0), dy = derivative(grid, 1), dx = derivative(grid, 2);
  const auto part = [&](int i) { return modes.select(1, i); };
  const Tensor vorticity = from_modes(
      torch::stack({dy * part(2) - dz * part(1), dz * part(0) - dx * part(2), dx * part(1) - dy * part(0)}, 1), grid);
  const auto inner = [](const Tensor& a, const Tensor& b) {
    return ((a * b).sum() / (a.norm() * b.norm())).abs().item<double>();
  };
  CHECK(inner(u, rate) < 1e-14);
  CHECK(inner(vorticity, rate) < 1e-14);
  const Tensor divergence = dx * rate_modes.select(1, 0) + dy * rate_modes.select(1, 1) + dz * rate_modes.select(1, 2);
  CHECK((divergence.norm() / rate_modes.norm()).item<double>() < 1e-14);
}

TEST_CASE("Kuramoto-Sivashinsky: the energy budget closes to rounding", "[physics]")
{
  const KuramotoSivashinsky equation({});
  const Grid grid = equation.grid({128});
  const Tensor u = smooth_state(equation, grid);
  const Tensor d = derivative(grid, 0), slope = from_modes(to_modes(u) * d, grid),
               curvature = from_modes(to_modes(u) * d * d, grid);
  const auto mean = [](const Tensor& values) { return values.flatten(1).mean(1); };
  CHECK(tests::relative_distance(mean(u * equation.tendency(u, grid)),
                                 mean(slope.square()) - mean(curvature.square())) < 1e-12);
}

TEST_CASE("quasi-geostrophic: products conserve energy and the enstrophy of each layer", "[physics]")
{
  const QuasiGeostrophic equation({.beta = 0, .upper_flow = 0, .bottom_drag = 0});
  const Grid grid = equation.grid({48, 48});
  Tensor q = smooth_state(equation, grid);
  q = torch::stack({q.select(1, 0), 0.3 * q.select(1, 0).roll(7, -1)}, 1);
  const Tensor rate = equation.tendency(q, grid);
  const Tensor psi = from_modes(apply_per_mode(equation.inversion(grid), to_modes(q)), grid);
  const auto inner = [](const Tensor& a, const Tensor& b) {
    return ((a * b).sum() / (a.norm() * b.norm())).abs().item<double>();
  };
  for (int layer = 0; layer < 2; ++layer) CHECK(inner(q.select(1, layer), rate.select(1, layer)) < 1e-13);
  // Energy weighs layers by their thickness: δ of the upper, 1 of the lower.
  CHECK(inner(psi * torch::tensor({0.25, 1.0}, torch::kFloat64).view({1, 2, 1, 1}), rate) < 1e-13);
}

TEST_CASE("waves as PDEBench draws them: their energy, and how many are folded", "[physics][property]")
{
  const AdvectionDiffusion equation({.states = AdvectedStates::pdebench});
  const std::int64_t draws = 2000;
  const Tensor u = equation.draw(equation.grid({256}), 3, 0, draws).field("u").values.flatten(1);
  CHECK(torch::equal(equation.draw(equation.grid({256}), 3, 17, 1).field("u").values.flatten(), u[17]));
  CHECK(u.abs().max().item<double>() <= 2);
  // Two waves of amplitudes uniform to 1 have 1/3; one state in ten is cut to .45 of the line in the mean.
  CHECK_THAT(u.square().mean().item<double>(), WithinAbs((0.9 + 0.1 * 0.45) / 3, 0.02));
  // A folded state has one sign: 200 ± 13 of them. Others have a mean of 0, but for what is left of a few cut waves.
  const Tensor one_sign = torch::logical_or(u.amin(1) >= -1e-9, u.amax(1) <= 1e-9);
  CHECK_THAT(one_sign.sum().item<double>(), WithinAbs(200, 60));
  CHECK(tests::says(tests::message_of([] {
                      AdvectionDiffusion({.velocity = {1, 1}, .states = AdvectedStates::pdebench});
                    }),
                    {"states", "2 axes", "a line"}));
}

TEST_CASE("step residual: of the exact solution it falls with the square of the step, of others it does not",
          "[physics][property]")
{
  const AdvectionDiffusion equation({.velocity = {1.0}, .diffusivity = 0.01});
  const Grid grid = equation.grid({64});
  const double k = 4 * std::numbers::pi;
  const auto wave = [&](double time) {
    const torch::Tensor x = grid.coordinates(0);
    return (std::exp(-0.01 * k * k * time) * (k * (x - time)).sin()).view({1, 1, -1});
  };
  const auto size = [&](double interval, const torch::Tensor& after) {
    return step_residual(equation, wave(0), after, grid, interval).norm().item<double>();
  };
  const double order = std::log2(size(0.01, wave(0.01)) / size(0.005, wave(0.005)));
  CHECK_THAT(order, WithinAbs(2, 0.02));
  CHECK(size(0.01, wave(0.01)) < 0.01 * size(0.01, wave(0)));

  torch::Tensor after = wave(0).requires_grad_();
  step_residual(equation, wave(0), after, grid, 0.01).square().sum().backward();
  CHECK((after.grad() * (wave(0.01) - wave(0))).sum().item<double>() < 0);  // the right way is downhill
}

TEST_CASE("a tendency of the wrong shape is refused", "[physics][error]")
{
  const KuramotoSivashinsky equation({});
  const auto message = tests::message_of([&] { equation.tendency(torch::zeros({1, 2, 32}), equation.grid({32})); });
  CHECK(tests::says(message, {"kuramoto_sivashinsky", "[1, 2, 32]", "[1, 1, 32]"}));
  CHECK(tests::says(tests::message_of([&] { equation.grid({32, 32}); }), {"cells", "[32, 32]", "1 number"}));
  CHECK(tests::says(tests::message_of([] { KuramotoSivashinsky({.length = -1}); }), {"length", "-1", "positive"}));
}
