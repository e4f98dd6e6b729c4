// Turbulence and chaos: flow in three dimensions, shared by ranks; numbers that others found.
#include <fmt/format.h>
#include <locum/physics/periodic/kuramoto_sivashinsky.hpp>
#include <locum/physics/periodic/navier_stokes_3d.hpp>
#include <locum/solvers/reference/periodic/periodic.hpp>

#include <vector>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/lyapunov.hpp"
#include "support/numbers.hpp"

using namespace locum;
using physics::NavierStokes3D;
using solvers::PeriodicSolver;
using solvers::Scheme;
using tests::relative_distance;

namespace {

Sample taylor_green(const Grid& grid)
{
  Sample state{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  state.fields["velocity"] = {.values = NavierStokes3D::taylor_green(grid), .unit = "1"};
  return state;
}

/// Half the mean square of the velocity, and of its curl.
std::pair<double, double> energy_and_enstrophy(const Sample& state)
{
  const Grid& grid = state.grid();
  const Tensor velocity = state.field("velocity").values;
  const Tensor modes = physics::to_modes(velocity);
  const Tensor u = modes.select(1, 0), v = modes.select(1, 1), w = modes.select(1, 2);
  const Tensor dz = physics::derivative(grid, 0), dy = physics::derivative(grid, 1), dx = physics::derivative(grid, 2);
  const Tensor curl = physics::from_modes(torch::stack({dy * w - dz * v, dz * u - dx * w, dx * v - dy * u}, 1), grid);
  const auto half = [](const Tensor& field) { return field.square().sum(1).mean().item<double>() / 2; };
  return {half(velocity), half(curl)};
}

}  // namespace

TEST_CASE("three dimensions: ranks that share a state find what one finds", "[solvers][ranks2][ranks4]")
{
  torch::NoGradGuard no_gradients;
  const Communicator ranks(MPI_COMM_WORLD);
  const NavierStokes3D equation({.viscosity = 0.01});
  const Sample start = equation.draw(equation.grid({10, 9, 12}), 3, 0, 2);
  for (const Scheme scheme : {Scheme::etdrk4, Scheme::etdab3}) {
    PeriodicSolver alone(equation, {.step = 0.02, .scheme = scheme}),
        together(equation, {.step = 0.02, .scheme = scheme}, ranks);
    const Tensor expected = alone.advance(start, 0.1).field("velocity").values;
    const Tensor found = together.advance(start, 0.1).field("velocity").values;
    CHECK(relative_distance(found, expected) < 1e-13);
    const Sample coarse = together.advance(start.to(torch::kFloat32), 0.1);
    CHECK(relative_distance(coarse.field("velocity").values.to(torch::kFloat64), expected) < 1e-5);
    CHECK(torch::equal(together.advance(start, 0.1).field("velocity").values, found));
  }
  Sample thin{.domain = physics::periodic_grid({12, 1, 12}, {1, 1, 1}), .fields = {}, .scalars = {}, .time = 0};
  thin.fields["velocity"] = {.values = torch::zeros({1, 3, 12, 1, 12}, torch::kFloat64), .unit = "1"};
  PeriodicSolver together(equation, {.step = 0.02}, ranks);
  const std::string count = fmt::format("{}", ranks.size());
  CHECK(tests::says(tests::message_of([&] { together.advance(thin, 0.1); }),
                    {"number of ranks", count.c_str(), "at most 1"}));
}

TEST_CASE("three dimensions: Taylor and Green's vortex stretches as their series says", "[solvers]")
{
  // Taylor & Green, Proc. R. Soc. A 158 (1937): without viscosity enstrophy grows as 1 + 5 t² / 48 + 50 t⁴ / (99 · 64).
  const NavierStokes3D equation({.viscosity = 0});
  const Sample start = taylor_green(equation.grid({24, 24, 24}));
  PeriodicSolver solver(equation, {.step = 0.05});
  const double before = energy_and_enstrophy(start).second, t = 0.2;
  const double after = energy_and_enstrophy(solver.advance(start, t)).second;
  CHECK_THAT(after / before - 1, WithinAbs(5 * t * t / 48 + 50 * t * t * t * t / (99 * 64), 5e-8));  // next term: t⁶
}

TEST_CASE("three dimensions: Taylor and Green's vortex at Reynolds number 1600 dissipates as published",
          "[.][solvers][statistics]")
{
  // van Rees, Leonard, Pullin & Koumoutsakos, J. Comput. Phys. 230 (2011): 0.0127 at time 9, resolved. 64³ points are
  // not: what they lose is less, and lost a little earlier.
  torch::NoGradGuard no_gradients;
  const NavierStokes3D equation({.viscosity = 1.0 / 1600});
  Sample state = taylor_green(equation.grid({64, 64, 64}));
  PeriodicSolver solver(equation, {.step = 0.025}, Communicator(MPI_COMM_WORLD));
  double largest = 0, when = 0;
  auto [energy, enstrophy] = energy_and_enstrophy(state);
  const double begin = energy;
  double lost = 0;  // by viscosity, by the trapezoidal rule
  fmt::print("time  energy    2 ν enstrophy\n");
  for (int i = 1; i <= 40; ++i) {
    state = solver.advance(state, 0.25);
    const auto [now, curl] = energy_and_enstrophy(state);
    lost += 0.25 * (enstrophy + curl) / 1600;
    energy = now;
    enstrophy = curl;
    const double rate = 2 * enstrophy / 1600;
    if (rate > largest) {
      largest = rate;
      when = 0.25 * i;
    }
    if (i % 4 == 0) fmt::print("{:4.1f}  {:.6f}  {:.6f}\n", 0.25 * i, energy, rate);
  }
  fmt::print("largest {:.5f} at time {:.2f}\n", largest, when);
  CHECK_THAT((begin - energy) / lost, WithinAbs(1, 1e-3));  // what is lost is lost to viscosity
  CHECK_THAT(when, WithinAbs(9, 1));
  CHECK_THAT(largest, WithinAbs(0.0127, 0.003));
}

TEST_CASE("Kuramoto-Sivashinsky: largest Lyapunov exponent as published", "[.][solvers][statistics]")
{
  // Cvitanović, Davidchack & Siminos, SIAM J. Appl. Dyn. Syst. 9 (2010), for length 22: 0.048.
  torch::NoGradGuard no_gradients;
  const physics::KuramotoSivashinsky equation({.length = 22});
  PeriodicSolver solver(equation, {.step = 0.1});
  const Sample pair = solver.advance(equation.draw(equation.grid({64}), 3, 0, 2), 500);
  const double exponent = tests::lyapunov_exponent(solver, pair, "u", 5, 20000);
  fmt::print("Kuramoto-Sivashinsky, length 22: largest Lyapunov exponent {:.4f}\n", exponent);
  CHECK_THAT(exponent, WithinAbs(0.048, 0.003));
}
