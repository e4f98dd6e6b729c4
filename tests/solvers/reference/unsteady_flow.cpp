#include <fmt/format.h>
#include <locum/core/random.hpp>
#include <locum/physics/flow/staggered_flow.hpp>
#include <locum/physics/flow/unsteady_channel_flow.hpp>
#include <locum/physics/jacobian_action.hpp>
#include <locum/solvers/reference/petsc/flow.hpp>
#include <locum/solvers/reference/petsc/petsc.hpp>
#include <locum/solvers/reference/petsc/unsteady_flow.hpp>

#include <cmath>
#include <numbers>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using physics::UnsteadyChannelFlow;
using physics::UnsteadyChannelFlowOptions;
using solvers::PetscSession;
using solvers::UnsteadyFlowSolver;
using tests::message_of;
using tests::relative_distance;
using tests::says;

namespace {

/// A short channel with a thick cylinder.
UnsteadyChannelFlowOptions short_channel()
{
  UnsteadyChannelFlowOptions options;
  options.length = 1;
  options.height = 0.5;
  options.viscosity = 5e-3;
  options.x = 0.3;
  options.y = 0.22;
  return options;
}

const Tensor& velocity(const Sample& state) { return state.field("velocity").values; }

/// Largest excess of what flows out of a cell over what flows in, in inflows through a cell's side.
double divergence(const UnsteadyChannelFlow& equation, const Sample& state)
{
  const Tensor k = equation.coefficients(state.grid());
  const Tensor unknowns = torch::cat({velocity(state), torch::zeros_like(velocity(state).narrow(1, 0, 1))}, 1);
  const Tensor mass = physics::staggered_residual(k.unsqueeze(0), unknowns, state.grid()).select(1, 2);
  return mass.abs().max().item<double>() * state.grid().axes[1].spacing;
}

}  // namespace

TEST_CASE("Unsteady flow: every state is without divergence", "[solvers][property]")
{
  const PetscSession petsc({});
  const UnsteadyChannelFlow equation(short_channel());
  const Sample initial = equation.draw(equation.grid({20, 40}), 1, 0, 2);
  CHECK(divergence(equation, initial) < 1e-11);
  UnsteadyFlowSolver solver(equation, {.step = 0.005});
  const Sample later = solver.advance(initial, 0.05);
  CHECK(later.time == 0.05);
  CHECK(divergence(equation, later) < 1e-11);
  const Tensor in = equation.coefficients(initial.grid())[physics::staggered::inflow].sum();
  CHECK_THAT(relative_distance(velocity(later).select(1, 0).select(2, 39).sum(1), in.expand({2})), WithinAbs(0, 1e-12));
}

TEST_CASE("Unsteady flow: the solver follows the equation's tendency, with order 3", "[solvers][order]")
{
  const PetscSession petsc({});
  const UnsteadyChannelFlow equation(short_channel());
  const Sample initial = equation.draw(equation.grid({16, 32}), 2, 0, 1);
  const auto after = [&](double step) {
    return velocity(UnsteadyFlowSolver(equation, {.step = step}).advance(initial, 0.04));
  };
  // A short step changes the state by the tendency.
  const Tensor change =
      velocity(UnsteadyFlowSolver(equation, {.step = 1e-6}).advance(initial, 1e-6)) - velocity(initial);
  CHECK_THAT(relative_distance(change / 1e-6, equation.tendency(velocity(initial), initial.grid())),
             WithinAbs(0, 1e-4));
  const Tensor exact = after(0.04 / 64);
  const double coarse = relative_distance(after(0.01), exact), fine = relative_distance(after(0.005), exact);
  fmt::print("unsteady flow: errors {:.2e}, {:.2e}, order {:.2f}\n", coarse, fine, std::log2(coarse / fine));
  CHECK(std::log2(coarse / fine) > 2.8);
}

TEST_CASE("Unsteady flow: the tendency's derivatives", "[solvers][property]")
{
  const UnsteadyChannelFlow equation(short_channel());
  const Grid grid = equation.grid({8, 16});
  const Tensor state = velocity(equation.draw(grid, 3, 0, 1));
  RandomStream random(1, "directions");
  const Tensor forward = random.normal(state.sizes()), backward = random.normal(state.sizes());
  const Tensor image = physics::jacobian_action(equation, state, forward, grid);
  const double step = 1e-4;
  const Tensor slope =
      (equation.tendency(state + step * forward, grid) - equation.tendency(state - step * forward, grid)) /
      (2 * step);  // exact for a quadratic
  CHECK_THAT(relative_distance(slope, image), WithinAbs(0, 1e-8));
  const Tensor point = state.clone().requires_grad_(true);
  const Tensor adjoint = torch::autograd::grad({equation.tendency(point, grid)}, {point}, {backward})[0];
  CHECK_THAT((adjoint * forward).sum().item<double>(), WithinRel((backward * image).sum().item<double>(), 1e-9));
}

TEST_CASE("Unsteady flow: comes to rest in the steady solver's flow", "[solvers][property]")
{
  const PetscSession petsc({});
  UnsteadyChannelFlowOptions options = short_channel();
  options.viscosity = 0.02;
  const UnsteadyChannelFlow equation(options);
  const Grid grid = equation.grid({16, 32});
  const Sample end = UnsteadyFlowSolver(equation, {.step = 0.01}).advance(equation.draw(grid, 1, 0, 1), 8);

  const physics::ChannelFlow channel(
      {.length = 1, .height = 0.5, .viscosity = 0.02, .velocity = 1, .inflow = physics::Inflow::parabolic});
  const Sample problem = channel.problem(grid, {.shape = physics::Shape::circle, .x = 0.3, .y = 0.22, .size = 0.1});
  const Tensor expected = solvers::FlowSolver(channel).solve(problem).field("face_velocity").values;
  CHECK_THAT(relative_distance(velocity(end), expected), WithinAbs(0, 1e-6));
}

TEST_CASE("Unsteady flow: what it cannot advance is refused", "[solvers][error]")
{
  UnsteadyChannelFlowOptions options = short_channel();
  options.y = 0.47;
  CHECK(says(message_of([&] { UnsteadyChannelFlow{options}; }), {"y", "between the walls"}));
  const PetscSession petsc({});
  const UnsteadyChannelFlow equation(short_channel());
  const Sample initial = equation.draw(equation.grid({16, 32}), 2, 0, 1);
  CHECK(says(message_of([&] { UnsteadyFlowSolver(equation, {.step = 0}); }), {"solver.step", "0"}));
  CHECK(says(message_of([&] { UnsteadyFlowSolver(equation, {.step = 2}).advance(initial, 60); }),
             {"not finite", "a shorter step"}));
  CHECK(says(message_of([&] {
               UnsteadyFlowSolver(equation, {}, {}, {{"ksp_rtoll", "1"}}).advance(initial, 1);
             }),
             {"ksp_rtoll"}));
}

TEST_CASE("Unsteady flow: ranks together find what one does", "[solvers][ranks2][ranks4]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  const PetscSession petsc(ranks);
  const UnsteadyChannelFlow equation(short_channel());
  const Sample initial = equation.draw(equation.grid({16, 32}), 2, 0, 2);
  const Sample alone = UnsteadyFlowSolver(equation, {.step = 0.005}).advance(initial, 0.05);
  const Sample together = UnsteadyFlowSolver(equation, {.step = 0.005}, ranks).advance(initial, 0.05);
  CHECK_THAT(relative_distance(velocity(together), velocity(alone)), WithinAbs(0, 1e-11));
}

TEST_CASE("Unsteady flow: the vortex street behind a cylinder, Schäfer and Turek's 2D-2", "[.][published]")
{
  // Published: Strouhal number 0.295 to 0.305 at Re = 100.
  const PetscSession petsc({});
  const UnsteadyChannelFlow equation;
  const std::int64_t n = 62;  // 15 cells across the cylinder
  const Grid grid = equation.grid({n, n * 220 / 41});
  UnsteadyFlowSolver solver(equation, {.step = 1.25e-3});
  Sample state = solver.advance(equation.draw(grid, 1, 0, 1), 4);
  // The velocity across the flow, three diameters behind: passages through zero upwards.
  const auto row = n * 200 / 410, column = static_cast<std::int64_t>(0.5 / grid.axes[1].spacing);
  std::vector<double> passages;
  double before = 0;
  const double interval = 0.01;
  for (int i = 0; i < 300; ++i) {
    state = solver.advance(state, interval);
    const double here = velocity(state)[0][1][row][column].item<double>();
    if (before < 0 && here >= 0) passages.push_back(state.time - interval * here / (here - before));
    before = here;
  }
  REQUIRE(passages.size() > 4);
  const double period = (passages.back() - passages[1]) / static_cast<double>(passages.size() - 2);
  fmt::print("vortex street, Re 100: Strouhal number {:.4f} (0.295 to 0.305)\n", 0.1 / period);
  CHECK_THAT(0.1 / period, WithinAbs(0.3, 0.015));
}
