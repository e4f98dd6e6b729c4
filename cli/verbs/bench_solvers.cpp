#include "bench.hpp"

#include <locum/core/error.hpp>
#include <locum/physics/conservation/euler.hpp>
#include <locum/physics/conservation/shallow_water.hpp>
#include <locum/physics/ordinary/lorenz.hpp>
#include <locum/physics/periodic/barotropic.hpp>
#include <locum/physics/periodic/kuramoto_sivashinsky.hpp>
#include <locum/physics/periodic/quasi_geostrophic.hpp>
#include <locum/solvers/reference/conservation/finite_volume.hpp>
#include <locum/solvers/reference/ordinary/runge_kutta.hpp>
#include <locum/solvers/reference/periodic/periodic.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace locum::cli {

using solvers::Dealiasing;
using solvers::PeriodicSolver;
using solvers::Scheme;

namespace {

/// Shortest time of a step in some runs of a few of them, µs.
double microseconds_a_step(EvolvingSolver& solver, const Sample& start, double step, std::int64_t steps,
                           std::int64_t repeats)
{
  const double duration = step * static_cast<double>(steps);
  const Sample state = solver.advance(start, duration);  // tables are made, and memory is touched
  double shortest = 1e300;
  for (std::int64_t i = 0; i < repeats; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    solver.advance(state, duration);
    shortest =
        std::min(shortest, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
  }
  return shortest / static_cast<double>(steps);
}

/// @param equation, step, grid  what is advanced
void measure(const BenchRequest& request, const physics::Equation& equation, EvolvingSolver& solver, const Grid& grid,
             double step, std::int64_t members)
{
  const Sample start = equation.draw(grid, /*seed=*/0, /*first=*/0, members);
  const std::int64_t steps = std::max<std::int64_t>(200, 2000 / members);
  const double time = microseconds_a_step(solver, start, step, steps, request.repeats);
  const auto n = grid.axes.back().points;
  if (request.json)
    fmt::print("{}\n", nlohmann::json({{"case", equation.name()},
                                       {"n", n},
                                       {"members", members},
                                       {"us_per_step", time},
                                       {"us_per_member_step", time / static_cast<double>(members)},
                                       {"ms_per_step", time / 1e3},
                                       {"threads", at::get_num_threads()}})
                           .dump());
  else
    fmt::print("{:<20} {:>5} points, {:>3} members: {:9.2f} µs a step, {:8.2f} µs a member\n", equation.name(), n,
               members, time, time / static_cast<double>(members));
  std::fflush(stdout);
}

/// Finite volumes on a square, a step at a time.
void measure_volumes(const BenchRequest& request, const physics::ConservationLaw& equation, std::int64_t points,
                     std::int64_t members)
{
  solvers::FiniteVolumeSolver solver(equation, {});
  const Grid grid = equation.grid({points, points});
  const Sample start = equation.draw(grid, /*seed=*/0, /*first=*/0, members);
  constexpr double moment = 1e-6;  // less than a step
  const double time = microseconds_a_step(solver, start, moment, /*steps=*/1, 20 * request.repeats);
  const double cells = static_cast<double>(points * points * members), million_a_second = cells / time;
  if (request.json)
    fmt::print("{}\n", nlohmann::json({{"case", equation.name()},
                                       {"n", points},
                                       {"members", members},
                                       {"us_per_step", time},
                                       {"million_cells_per_second", million_a_second},
                                       {"threads", at::get_num_threads()}})
                           .dump());
  else
    fmt::print("{:<20} {:>4}² cells, {:>3} members: {:9.2f} µs a step, {:6.1f} million cells a second\n",
               equation.name(), points, members, time, million_a_second);
  std::fflush(stdout);
}

}  // namespace

void bench_solver(const BenchRequest& request)
{
  if (request.name == "kuramoto-sivashinsky") {
    const physics::KuramotoSivashinsky equation({});
    PeriodicSolver solver(equation, {.step = 0.05, .dealiasing = Dealiasing::none});
    for (const auto& [points, members] : {std::pair{256, 1}, {1024, 1}, {1024, 32}, {1024, 256}})
      measure(request, equation, solver, equation.grid({points}), 0.05, members);
  } else if (request.name == "quasi-geostrophic") {
    const physics::QuasiGeostrophic equation({});
    PeriodicSolver solver(equation, {.step = 3600, .scheme = Scheme::etdab3, .dealiasing = Dealiasing::smooth});
    for (const int points : {64, 128, 256})
      measure(request, equation, solver, equation.grid({points, points}), 3600, 1);
  } else if (request.name == "barotropic") {
    const physics::Barotropic equation({.beta = 0});
    PeriodicSolver solver(equation, {.step = 1e-4, .scheme = Scheme::etdab3, .dealiasing = Dealiasing::smooth});
    for (const int points : {64, 128, 256})
      measure(request, equation, solver, equation.grid({points, points}), 1e-4, 1);
  } else if (request.name == "lorenz96") {
    const physics::Lorenz96 equation({});
    solvers::RungeKuttaSolver solver(equation, {.step = 0.05});
    for (const int members : {1, 40, 1000}) measure(request, equation, solver, equation.grid({40}), 0.05, members);
  } else if (request.name == "euler") {
    for (const int points : {64, 128, 256}) measure_volumes(request, physics::Euler({}), points, 1);
    measure_volumes(request, physics::Euler({.shear_viscosity = 0.01}), 128, 1);
    measure_volumes(request, physics::Euler({}), 64, 16);
  } else if (request.name == "shallow-water") {
    for (const int points : {64, 128, 256}) measure_volumes(request, physics::ShallowWater({}), points, 1);
    measure_volumes(request, physics::ShallowWater({.bed = physics::Bed::hills}), 128, 1);
    measure_volumes(request, physics::ShallowWater({}), 64, 16);
  } else
    throw OptionError(
        {.doing = "measuring",
         .where = "locum bench",
         .found = fmt::format("\"{}\"", request.name),
         .expected = "fno, barotropic, euler, kuramoto-sivashinsky, lorenz96, quasi-geostrophic or shallow-water",
         .advice = "locum bench fno"});
}

}  // namespace locum::cli
