#include <fmt/format.h>
#include <locum/core/random.hpp>
#include <locum/physics/reaction_diffusion/diffusion_sorption.hpp>
#include <locum/physics/reaction_diffusion/fitzhugh_nagumo.hpp>
#include <locum/physics/reaction_diffusion/heat.hpp>
#include <locum/solvers/reference/petsc/petsc.hpp>
#include <locum/solvers/reference/petsc/reaction_diffusion.hpp>

#include <cmath>
#include <functional>
#include <numbers>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::physics;
using solvers::PetscSession;
using solvers::ReactionDiffusionSolver;
using tests::relative_distance;

namespace {

Tensor all_of(const EvolvingEquation& equation, const Sample& state) { return stack_channels(state, equation.state()); }

Sample with(const EvolvingEquation& equation, const Grid& grid, const Tensor& channels)
{
  Sample state = equation.draw(grid, 0, 0, 1);
  state.fields = split_channels(channels, describe_channels(state, equation.state()));
  return state;
}

/// Smooth activator and inhibitor whose slopes at the edges are zero.
Sample smooth(const FitzHughNagumo& equation, const Grid& grid)
{
  const double k = std::numbers::pi / 2;
  const Tensor y = grid.coordinates(0).unsqueeze(1), x = grid.coordinates(1);
  return with(equation, grid,
              torch::stack({(k * x).cos() * (2 * k * y).cos(), (3 * k * x).cos() + 0 * y}).unsqueeze(0));
}

/// The middle one of each three cells along each axis.
Tensor thirds(Tensor values)
{
  for (std::int64_t axis = 2; axis < values.dim(); ++axis) values = values.slice(axis, 1, c10::nullopt, 3);
  return values;
}

/// Prints a table, and returns the order between its last lines.
double last_order(const std::string& what, double factor, const std::vector<std::pair<double, double>>& errors)
{
  fmt::print("{}: relative L2 error, order\n", what);
  double order = 0;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (i > 0) order = std::log(errors[i - 1].second / errors[i].second) / std::log(factor);
    fmt::print("{:>10}  {:.3e}  {}\n", errors[i].first, errors[i].second, i > 0 ? fmt::format("{:.2f}", order) : "");
  }
  return order;
}

const std::map<std::string, std::string> equal_steps(double step)
{
  return {{"ts_adapt_type", "none"}, {"ts_dt", fmt::format("{}", step)}, {"ksp_rtol", "1e-12"}, {"snes_rtol", "1e-12"}};
}

}  // namespace

TEST_CASE("reaction-diffusion: the edges of diffusion-sorption, order 2 in space", "[solvers][order]")
{
  // Without sorption, a line and a wave sin μx with tan μ = −D μ, which decays as exp(−D μ² t).
  const PetscSession petsc{Communicator()};
  const double d = 0.1, end = 1;
  const DiffusionSorption equation({.diffusivity = d, .freundlich_factor = 1e-30});
  ReactionDiffusionSolver solver(equation, {.tolerance = 1e-9});
  double mu = 2;
  for (int i = 0; i < 100; ++i) mu = std::numbers::pi - std::atan(d * mu);
  const auto exact = [&](const Grid& grid, double time) {
    const Tensor x = grid.coordinates(0);
    return (1 - x / (1 + d) + 0.2 * (mu * x).sin() * std::exp(-d * mu * mu * time)).unsqueeze(0).unsqueeze(0);
  };
  std::vector<std::pair<double, double>> errors;
  for (const std::int64_t n : {16, 32, 64}) {
    const Grid grid = equation.grid({n});
    const Sample later = solver.advance(with(equation, grid, exact(grid, 0)), end);
    errors.emplace_back(n, relative_distance(all_of(equation, later), exact(grid, end)));
  }
  CHECK_THAT(last_order("diffusion between edges, cells", 2, errors), WithinAbs(2, 0.1));
}

TEST_CASE("reaction-diffusion: heat between warm and insulated sides, order 2 in space", "[solvers][order]")
{
  // u = 1 + 2x + e^(−5π²dt) sin πx cos 2πy: 1 where x = 0, 3 where x = 1, no flux through y0 and y1.
  const PetscSession petsc{Communicator()};
  const double d = 0.02, end = 0.5, pi = std::numbers::pi;
  HeatOptions options;
  options.diffusivity = d;
  options.sides = {.insulated = {"y0", "y1"}, .values = {1, 3, 0, 0, 0, 0}};
  const Heat equation(options);
  ReactionDiffusionSolver solver(equation, {.tolerance = 1e-9});
  const auto exact = [&](const Grid& grid, double time) {
    const Tensor y = grid.coordinates(0).unsqueeze(1), x = grid.coordinates(1);
    return (1 + 2 * x + std::exp(-5 * pi * pi * d * time) * (pi * x).sin() * (2 * pi * y).cos())
        .unsqueeze(0)
        .unsqueeze(0);
  };
  std::vector<std::pair<double, double>> errors;
  for (const std::int64_t n : {8, 16, 32}) {
    const Grid grid = equation.grid({n, n});
    const Sample later = solver.advance(with(equation, grid, exact(grid, 0)), end);
    errors.emplace_back(n, relative_distance(all_of(equation, later), exact(grid, end)));
  }
  CHECK_THAT(last_order("heat, cells", 2, errors), WithinAbs(2, 0.1));
}

TEST_CASE("reaction-diffusion: order 2 in space, against nine times as many cells", "[solvers][order]")
{
  const PetscSession petsc{Communicator()};
  const DiffusionSorption sorption({});
  const FitzHughNagumo reaction({.activator_diffusivity = 0.02, .inhibitor_diffusivity = 0.05});
  const auto order = [&](const EvolvingEquation& equation, const std::function<Tensor(std::int64_t)>& run,
                         std::int64_t cells) {
    const Tensor finest = thirds(run(9 * cells));
    return last_order(equation.name() + ", cells", 3,
                      {{static_cast<double>(cells), relative_distance(run(cells), thirds(finest))},
                       {static_cast<double>(3 * cells), relative_distance(run(3 * cells), finest)}});
  };
  ReactionDiffusionSolver sorb(sorption, {.tolerance = 1e-8}), react(reaction, {.tolerance = 1e-8});
  // Errors against a run that has a ninth of them: what is left is 3² to 9/8 of it.
  CHECK(order(
            sorption,
            [&](std::int64_t n) {
              const Grid grid = sorption.grid({n});
              return all_of(sorption,
                            sorb.advance(with(sorption, grid, torch::full({1, 1, n}, 0.1, torch::kFloat64)), 100));
            },
            27) > 1.8);
  CHECK(order(
            reaction,
            [&](std::int64_t n) {
              return all_of(reaction, react.advance(smooth(reaction, reaction.grid({n, n})), 1));
            },
            9) > 1.8);
}

TEST_CASE("reaction-diffusion: order 3 in time", "[solvers][order]")
{
  const PetscSession petsc{Communicator()};
  const FitzHughNagumo reaction({});
  const DiffusionSorption sorption({});
  const auto order = [&](const ReactionDiffusion& equation, const Sample& start, double duration, double longest) {
    const auto run = [&](double step) {
      return all_of(equation, ReactionDiffusionSolver(equation, {}, {}, equal_steps(step)).advance(start, duration));
    };
    const Tensor exact = run(longest / 32);
    std::vector<std::pair<double, double>> errors;
    for (const double step : {longest, longest / 2, longest / 4})
      errors.emplace_back(step, relative_distance(run(step), exact));
    return last_order(equation.name() + ", step", 2, errors);
  };
  CHECK_THAT(order(reaction, smooth(reaction, reaction.grid({16, 16})), 2, 0.4), WithinAbs(3, 0.3));
  const Grid grid = sorption.grid({32});
  const Tensor profile = (-5 * grid.coordinates(0)).exp().unsqueeze(0).unsqueeze(0);
  CHECK_THAT(order(sorption, with(sorption, grid, profile), 40, 10), WithinAbs(3, 0.4));
}

TEST_CASE("reaction-diffusion: explicit steps of the tendency come to the same", "[solvers]")
{
  const PetscSession petsc{Communicator()};
  const FitzHughNagumo reaction({});
  const DiffusionSorption sorption({});
  const auto explicitly = [](const ReactionDiffusion& equation, const Sample& start, double duration, int steps) {
    const double h = duration / steps;
    Tensor u = all_of(equation, start);
    const auto rate = [&](const Tensor& state) { return equation.tendency(state, start.grid()); };
    for (int i = 0; i < steps; ++i) {
      const Tensor a = rate(u), b = rate(u + h / 2 * a), c = rate(u + h / 2 * b), d = rate(u + h * c);
      u = u + h / 6 * (a + 2 * (b + c) + d);
    }
    return u;
  };
  const Sample noise = reaction.draw(reaction.grid({24, 32}), 1, 0, 2),
               level = sorption.draw(sorption.grid({32}), 1, 0, 3);
  ReactionDiffusionSolver react(reaction, {}), sorb(sorption, {});
  const Tensor end = all_of(reaction, react.advance(noise, 1));
  CHECK(relative_distance(end, explicitly(reaction, noise, 1, 400)) < 1e-5);
  CHECK(torch::equal(all_of(reaction, react.advance(noise.members(1, 1), 1)), end.narrow(0, 1, 1)));
  CHECK(relative_distance(all_of(sorption, sorb.advance(level, 50)), explicitly(sorption, level, 50, 2000)) < 1e-5);
  CHECK(react.advance(noise.to(torch::kFloat32), 0.1).field("inhibitor").values.scalar_type() == torch::kFloat32);
}

TEST_CASE("reaction-diffusion: ranks find what one finds", "[solvers][ranks2][ranks4]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  const PetscSession petsc(ranks);
  const FitzHughNagumo reaction({});
  const DiffusionSorption sorption({});
  const auto same = [&](const ReactionDiffusion& equation, const std::vector<std::int64_t>& cells, double duration) {
    const Sample start = equation.draw(equation.grid(cells), 1, 0, 2);
    const Sample shared = ReactionDiffusionSolver(equation, {}, ranks).advance(start, duration);
    const Sample alone = ReactionDiffusionSolver(equation, {}).advance(start, duration);
    return relative_distance(all_of(equation, shared), all_of(equation, alone));
  };
  CHECK(same(reaction, {12, 20}, 1) < 1e-7);
  CHECK(same(sorption, {40}, 20) < 1e-7);
}

TEST_CASE("reaction-diffusion: what cannot be done is said", "[solvers][error]")
{
  using tests::message_of;
  using tests::says;
  const PetscSession petsc{Communicator()};
  const FitzHughNagumo equation({});
  const Sample start = equation.draw(equation.grid({8, 8}), 0, 0, 1);
  CHECK(
      says(message_of([&] { ReactionDiffusionSolver(equation, {.tolerance = 0}); }), {"solver.tolerance", "above 0"}));
  CHECK(says(message_of([&] {
               ReactionDiffusionSolver(equation, {}, {}, {{"ts_tpye", "rk"}}).advance(start, 1);
             }),
             {"[solver.petsc]", "ts_tpye", "ts_type"}));
  CHECK(says(message_of([&] {
               ReactionDiffusionSolver(equation, {}, {}, {{"ts_max_steps", "2"}}).advance(start, 1);
             }),
             {"member 0 of 1", "TS_CONVERGED_ITS", "of 1"}));
  CHECK(says(message_of([&] { DiffusionSorption({.porosity = 1}); }), {"porosity", "below 1"}));
  CHECK(says(message_of([&] { equation.tendency(torch::ones({1, 1, 8, 8}), start.grid()); }), {"[batch, 2, 8, 8]"}));
}
