#include <fmt/format.h>
#include <locum/core/random.hpp>
#include <locum/physics/flow/channel_flow.hpp>
#include <locum/physics/flow/lid_driven_cavity.hpp>
#include <locum/physics/flow/staggered_flow.hpp>
#include <locum/physics/jacobian_action.hpp>
#include <locum/solvers/reference/petsc/flow.hpp>
#include <locum/solvers/reference/petsc/petsc.hpp>

#include <cmath>
#include <numbers>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using physics::ChannelFlow;
using physics::ChannelFlowOptions;
using physics::Inflow;
using physics::LidDrivenCavity;
using physics::Obstacle;
using physics::Shape;
using solvers::FlowSolver;
using solvers::PetscSession;
using tests::message_of;
using tests::relative_distance;
using tests::says;

namespace {

/// What one case of a benchmark measures.
struct Measured {
  double drag, wake, pressure_drop;
};

/// The channel of Schäfer & Turek (Flow Simulation with High-Performance Computers II, 1996), case 2D-1: a cylinder of
/// diameter 0.1 m at Re = 20.
ChannelFlowOptions benchmark_channel()
{
  ChannelFlowOptions options;
  options.length = 2.2;
  options.height = 0.41;
  options.viscosity = 1e-3;
  options.velocity = 0.2;
  options.inflow = Inflow::parabolic;
  options.shapes = {"circle"};
  options.sizes = {0.1, 0.1};
  options.places = {0.2, 0.2};
  return options;
}

/// Drag coefficient from the momentum that goes in and does not come out again, length of the wake behind the cylinder,
/// and pressure before it less that behind.
Measured measure(const ChannelFlowOptions& options, const Sample& flow)
{
  const Grid& grid = flow.grid();
  const double hx = grid.axes[1].spacing, hy = grid.axes[0].spacing, nu = options.viscosity;
  const auto nx = grid.axes[1].points, ny = grid.axes[0].points;
  const Tensor velocity = flow.field("velocity").values[0], pressure = flow.field("pressure").values[0][0];
  const Tensor u = velocity[0], faces = flow.field("face_velocity").values[0][0];
  // Between the centres of the first and the last column but one, where the fluxes are the discrete ones.
  const auto flux = [&](std::int64_t i) {
    const Tensor gradient = (faces.select(1, i) - faces.select(1, i - 1)) / hx;
    return ((u.select(1, i).square() + pressure.select(1, i) - nu * gradient).sum() * hy).item<double>();
  };
  const auto last = nx - 2;
  const Tensor walls = faces.narrow(1, 1, last - 1);
  const double friction = ((walls[0] + walls[ny - 1]).sum() * (nu * 2 / hy * hx)).item<double>();
  const double force = flux(1) - flux(last) - friction;

  const auto row = ny * 200 / 410;
  Measured measured{.drag = 2 * force / (options.velocity * options.velocity * 0.1), .wake = 0, .pressure_drop = 0};
  const auto behind = static_cast<std::int64_t>(0.25 / hx) + 1;
  for (std::int64_t i = behind; i < nx; ++i)
    if (faces[row][i].item<double>() > 0) {
      const double before = faces[row][i - 1].item<double>(), here = faces[row][i].item<double>();
      measured.wake = hx * (static_cast<double>(i) + before / (before - here)) - 0.25;
      break;
    }
  const auto front = static_cast<std::int64_t>(0.15 / hx) - 1;
  measured.pressure_drop = (pressure[row][front] - pressure[row][behind]).item<double>();
  return measured;
}

/// Ghia, Ghia & Shin, J. Comput. Phys. 48 (1982), tables I and II.
struct Ghia {
  double reynolds;
  std::vector<double> u, v;
};
const std::vector<double> ghia_y = {0.0547, 0.0625, 0.0703, 0.1016, 0.1719, 0.2813, 0.4531,
                                    0.5,    0.6172, 0.7344, 0.8516, 0.9531, 0.9609, 0.9688};
const std::vector<double> ghia_x = {0.0625, 0.0703, 0.0781, 0.0938, 0.1563, 0.2266, 0.2344,
                                    0.5,    0.8047, 0.8594, 0.9453, 0.9531, 0.9609, 0.9688};
const std::vector<Ghia> ghia = {{100,
                                 {-0.03717, -0.04192, -0.04775, -0.06434, -0.10150, -0.15662, -0.21090, -0.20581,
                                  -0.13641, 0.00332, 0.23151, 0.68717, 0.73722, 0.78871},
                                 {0.09233, 0.10091, 0.10890, 0.12317, 0.16077, 0.17507, 0.17527, 0.05454, -0.24533,
                                  -0.22445, -0.10313, -0.08864, -0.07391, -0.05906}},
                                {400,
                                 {-0.08186, -0.09266, -0.10338, -0.14612, -0.24299, -0.32726, -0.17119, -0.11477,
                                  0.02135, 0.16256, 0.29093, 0.55892, 0.61756, 0.68439},
                                 {0.18360, 0.19713, 0.20920, 0.22965, 0.28124, 0.30203, 0.30174, 0.05186, -0.38598,
                                  -0.44993, -0.22847, -0.19254, -0.15663, -0.12146}},
                                {1000,
                                 {-0.18109, -0.20196, -0.22220, -0.29730, -0.38289, -0.27805, -0.10648, -0.06080,
                                  0.05702, 0.18719, 0.33304, 0.46604, 0.51117, 0.57492},
                                 {0.27485, 0.29012, 0.30353, 0.32627, 0.37095, 0.33075, 0.32235, 0.02526, -0.31966,
                                  -0.42665, -0.39188, -0.33714, -0.27669, -0.21388}}};

/// Linear interpolation between the centres of n cells of the unit line.
double value_at(const Tensor& centres, double place)
{
  const auto n = centres.size(0);
  const double index = place * static_cast<double>(n) - 0.5;
  const auto i = std::min(n - 2, static_cast<std::int64_t>(index));
  const double weight = index - static_cast<double>(i);
  return (1 - weight) * centres[i].item<double>() + weight * centres[i + 1].item<double>();
}

}  // namespace

TEST_CASE("Staggered flow: consistent to second order with the Navier–Stokes equations", "[solvers][order]")
{
  // Inside a channel without obstacles, for u = sin ax cos by, v = −(a/b) cos ax sin by, p = cos ax cos by.
  ChannelFlowOptions options;
  options.length = 1.5;
  options.height = 1;
  options.viscosity = 0.02;
  options.shapes = {"none"};
  const ChannelFlow equation(options);
  const double a = 3, b = 2, nu = options.viscosity;
  std::vector<double> largest;
  for (const std::int64_t n : {32, 64, 128}) {
    const Sample problem = equation.draw(equation.grid({n, n}), 1, 0, 1);
    const Grid& grid = problem.grid();
    const double hx = grid.axes[1].spacing, hy = grid.axes[0].spacing;
    const Tensor y = grid.coordinates(0).unsqueeze(1), x = grid.coordinates(1);
    const Tensor xe = x + hx / 2, yn = y + hy / 2;
    const auto u = [&](const Tensor& x, const Tensor& y) { return (a * x).sin() * (b * y).cos(); };
    const auto v = [&](const Tensor& x, const Tensor& y) { return -(a / b) * (a * x).cos() * (b * y).sin(); };
    Sample flow;
    flow.fields["face_velocity"].values = torch::stack({u(xe, y), v(x, yn)}).unsqueeze(0);
    flow.fields["pressure"].values = ((a * x).cos() * (b * y).cos()).unsqueeze(0).unsqueeze(0);
    const Tensor left = equation.residual(problem, flow)[0];
    // u u_x + v u_y + p_x − ν Δu and the same of v; the divergence is zero.
    const auto along_x = [&](const Tensor& x, const Tensor& y) {
      return u(x, y) * a * (a * x).cos() * (b * y).cos() - v(x, y) * b * (a * x).sin() * (b * y).sin() -
             a * (a * x).sin() * (b * y).cos() + nu * (a * a + b * b) * u(x, y);
    };
    const auto along_y = [&](const Tensor& x, const Tensor& y) {
      return u(x, y) * (a / b) * a * (a * x).sin() * (b * y).sin() - v(x, y) * a * (a * x).cos() * (b * y).cos() -
             b * (a * x).cos() * (b * y).sin() + nu * (a * a + b * b) * v(x, y);
    };
    const Tensor error = (left - torch::stack({along_x(xe, y), along_y(x, yn), torch::zeros_like(left[0])}))
                             .narrow(1, 1, n - 3)  // the wall is the last row's, and so a neighbour of the one before
                             .narrow(2, 1, n - 2);
    largest.push_back(error.abs().max().item<double>());
  }
  CAPTURE(largest);
  CHECK_THAT(std::log2(largest[0] / largest[1]), WithinAbs(2, 0.1));
  CHECK_THAT(std::log2(largest[1] / largest[2]), WithinAbs(2, 0.1));
}

TEST_CASE("Flow solver: Poiseuille's parabola, exact in the discrete equations", "[solvers][order]")
{
  const PetscSession petsc({});
  ChannelFlowOptions options;
  options.length = 3;
  options.height = 1;
  options.viscosity = 1;
  options.velocity = 1;
  options.inflow = Inflow::parabolic;
  options.shapes = {"none"};
  options.sizes = {0.1, 0.1};
  options.places = {1, 1};
  const ChannelFlow equation(options);
  std::vector<double> errors;
  for (const std::int64_t n : {8, 16, 32}) {
    const Sample problem = equation.draw(equation.grid({n, 2 * n}), 1, 0, 1);
    const Sample flow = FlowSolver(equation).solve(problem);
    const Tensor end = flow.field("face_velocity").values[0][0].select(1, 2 * n - 2);
    const Tensor y = problem.grid().coordinates(0);
    const double h = 1.0 / double(n);
    const Tensor parabola = y * (1 - y) + h * h / 4;  // the walls' mirror images add the constant
    CHECK_THAT(relative_distance(end, parabola / parabola.mean()), WithinAbs(0, 1e-6));
    errors.push_back((end - 6 * y * (1 - y)).abs().max().item<double>());
  }
  CHECK_THAT(std::log2(errors[1] / errors[2]), WithinAbs(2, 0.1));
}

TEST_CASE("Flow solver: mass is conserved and momentum balanced to tolerance past every obstacle",
          "[solvers][property]")
{
  const PetscSession petsc({});
  const ChannelFlow equation;
  FlowSolver solver(equation);
  const Sample problems = equation.draw(equation.grid({39, 86}), 3, 0, 6);
  const Sample flows = solver.solve(problems);
  CHECK(flows.scalars.at("relative_residual").values.max().item<double>() < 1e-10);
  CHECK(flows.scalars.at("iterations").values.max().item<double>() <= 10);
  const Tensor left = equation.residual(problems, flows);
  CHECK(left.norm().item<double>() < 1e-9 * equation.forcing(problems).norm().item<double>());
  // What comes in goes out.
  const Tensor u = flows.field("face_velocity").values.select(1, 0);
  const Tensor out = u.select(2, 85).sum(1);
  CHECK_THAT((out - 39 * 0.1).abs().max().item<double>(), WithinAbs(0, 1e-9));
  // Nothing flows in an obstacle.
  CHECK((flows.field("velocity").values * (1 - problems.field("fluid").values)).abs().max().item<double>() < 1e-15);
}

TEST_CASE("Flow solver: its matrix is the derivative of the equation's residual", "[solvers][property]")
{
  const PetscSession petsc({});
  const ChannelFlow equation;
  FlowSolver solver(equation);
  const Sample problem = equation.draw(equation.grid({16, 24}), 5, 0, 1);
  const Sample flow = solver.solve(problem);
  RandomStream random(1, "direction");
  Sample direction;
  const Tensor mask = equation.unknowns(problem, flow) != 0;
  const Tensor values = random.normal({1, 3, 16, 24}) * mask;
  direction.fields["face_velocity"].values = values.narrow(1, 0, 2);
  direction.fields["pressure"].values = values.narrow(1, 2, 1);
  const Tensor expected = physics::jacobian_action(equation, problem, flow, direction);
  const Tensor matrix = solver.matrix(problem, flow);
  const Tensor product = torch::mm(matrix, values[0].permute({1, 2, 0}).reshape({-1, 1})).reshape({16, 24, 3});
  CHECK_THAT(relative_distance(product.permute({2, 0, 1}) * mask[0], expected[0] * mask[0]), WithinAbs(0, 1e-13));
}

TEST_CASE("Flow solver: a good guess saves Newton's steps", "[solvers][property]")
{
  const PetscSession petsc({});
  const ChannelFlow equation;
  FlowSolver solver(equation);
  const Sample problem = equation.draw(equation.grid({24, 52}), 5, 0, 1);
  const Sample flow = solver.solve(problem);
  const Sample again = solver.solve(problem, flow);
  CHECK(again.scalars.at("iterations").values.item<double>() < flow.scalars.at("iterations").values.item<double>());
  CHECK_THAT(relative_distance(again.field("velocity").values, flow.field("velocity").values), WithinAbs(0, 1e-8));
}

TEST_CASE("Flow solver: lid-driven cavities beside Ghia et al.", "[solvers][order]")
{
  const PetscSession petsc({});
  const LidDrivenCavity equation;
  FlowSolver solver(equation);
  const std::int64_t n = 64;
  for (const Ghia& table : ghia) {
    const Sample problem = LidDrivenCavity::problem(equation.grid({n, n}), table.reynolds);
    const Sample flow = solver.solve(problem);
    const Tensor faces = flow.field("face_velocity").values[0];
    const Tensor u = faces[0].select(1, n / 2 - 1), v = faces[1].select(0, n / 2 - 1);
    double largest = 0;
    for (std::size_t i = 0; i < ghia_y.size(); ++i)
      largest = std::max(
          {largest, std::abs(value_at(u, ghia_y[i]) - table.u[i]), std::abs(value_at(v, ghia_x[i]) - table.v[i])});
    fmt::print("cavity, Re {:>4}: {} Newton steps, largest difference from Ghia et al. {:.4f}\n", table.reynolds,
               flow.scalars.at("iterations").values.item<double>(), largest);
    CHECK(largest < (table.reynolds > 500 ? 0.02 : 0.01));
  }
}

TEST_CASE("Flow solver: a cavity's extreme velocities converge to those of a spectral method", "[solvers][order]")
{
  // Botella & Peyret, Comput. Fluids 27 (1998), Re = 1000: u along the vertical, v along the horizontal centre line.
  const PetscSession petsc({});
  const LidDrivenCavity equation;
  FlowSolver solver(equation);
  const double u_min = -0.3885698, v_max = 0.3769447, v_min = -0.5270771;
  fmt::print("cells  error of u_min    v_max    v_min\n");
  std::vector<double> errors;
  for (const std::int64_t n : {32, 64, 128}) {
    const Tensor faces =
        solver.solve(LidDrivenCavity::problem(equation.grid({n, n}), 1000)).field("face_velocity").values[0];
    const Tensor u = faces[0].select(1, n / 2 - 1), v = faces[1].select(0, n / 2 - 1);
    const double found[] = {u.min().item<double>() - u_min, v.max().item<double>() - v_max,
                            v.min().item<double>() - v_min};
    fmt::print("{:>5}  {:>14.5f} {:>8.5f} {:>8.5f}\n", n, found[0], found[1], found[2]);
    errors.push_back(std::abs(found[0]));
  }
  CHECK(std::log2(errors[1] / errors[2]) > 1.7);
}

TEST_CASE("Flow solver: a cylinder in a channel, Schäfer and Turek's 2D-1", "[solvers][order]")
{
  const PetscSession petsc({});
  const ChannelFlowOptions options = benchmark_channel();
  const ChannelFlow equation(options);
  FlowSolver solver(equation);
  const std::int64_t n = 82;
  const Grid grid = equation.grid({n, n * 220 / 41});
  const Sample problem = equation.problem(grid, {.shape = Shape::circle, .x = 0.2, .y = 0.2, .size = 0.1});
  const auto [drag, wake, drop] = measure(options, solver.solve(problem));
  fmt::print(
      "cylinder, Re 20, {} cells across: drag {:.3f} (5.580), wake {:.4f} m (0.0846), pressure {:.4f} (0.1175)\n",
      n / 4, drag, wake, drop);
  CHECK_THAT(drag, WithinAbs(5.58, 0.3));
  CHECK_THAT(wake, WithinAbs(0.0846, 0.005));
  CHECK_THAT(drop, WithinAbs(0.1175, 0.006));
}

TEST_CASE("Flow solver: problems that are none are refused", "[solvers][error]")
{
  CHECK(says(message_of([] { ChannelFlow({.sizes = {0.05, 0.2}}); }), {"sizes", "0.2 m across", "0.12 m high"}));
  CHECK(says(message_of([] { ChannelFlow({.shapes = {"circel"}}); }), {"shapes", "circel", "circle"}));
  CHECK(says(message_of([] { ChannelFlow({.viscosity = -1}); }), {"viscosity", "-1"}));
  CHECK(says(message_of([] { LidDrivenCavity({.reynolds = {100}}); }), {"reynolds", "[100]"}));
  const PetscSession petsc({});
  const ChannelFlow equation;
  FlowSolver solver(equation);
  Sample problem = equation.draw(equation.grid({8, 16}), 1, 0, 2);
  SECTION("another grid")
  {
    const ChannelFlow longer({.length = 0.5});
    CHECK(says(message_of([&] { FlowSolver(longer).solve(problem); }), {"axis x", "0.26 m", "0.5 m"}));
  }
  SECTION("not finite")
  {
    problem.fields["obstacle_distance"].values[1][0][2][3] = std::nan("");
    CHECK(says(message_of([&] { solver.solve(problem); }), {"obstacle_distance", "nan at sample 1", "[2, 3]"}));
  }
  SECTION("no fluid")
  {
    problem.fields["obstacle_distance"].values.fill_(-1);
    CHECK_THROWS_AS(solver.solve(problem), Error);
  }
  SECTION("options")
  {
    FlowSolver other(equation, {}, {{"snes_rtoll", "1e-3"}});
    CHECK(says(message_of([&] { other.solve(problem); }), {"snes_rtoll", "snes_rtol"}));
  }
}

TEST_CASE("Flow solver: ranks together find what one does", "[solvers][ranks2][ranks4]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  const PetscSession petsc(ranks);
  const ChannelFlow equation;
  const Sample problem = equation.draw(equation.grid({20, 44}), 2, 1, 2);
  const Sample alone = FlowSolver(equation).solve(problem);
  FlowSolver solver(equation, ranks);
  const Sample together = solver.solve(problem);
  for (const char* field : {"velocity", "pressure"})
    CHECK_THAT(relative_distance(together.field(field).values, alone.field(field).values), WithinAbs(0, 1e-8));
  CHECK(torch::equal(solver.matrix(problem.members(0, 1), alone.members(0, 1)).values(),
                     FlowSolver(equation).matrix(problem.members(0, 1), alone.members(0, 1)).values()));
}

TEST_CASE("Flow draws: Sobol's points cover Reynolds numbers evenly, and begin with the same ones",
          "[solvers][property]")
{
  const LidDrivenCavity equation({.reynolds = {100, 1600}, .spread = physics::Spread::sobol});
  const Grid grid = equation.grid({4, 4});
  const Tensor nu = equation.draw(grid, 5, 0, 16).field("viscosity").values.select(1, 0).select(1, 0).select(1, 0);
  const Tensor sorted = std::get<0>((1 / nu / 100).log2().sort()) * 4;  // each sixteenth of the range has one
  for (std::int64_t i = 0; i < 16; ++i) {
    CHECK(sorted[i].item<double>() >= static_cast<double>(i));
    CHECK(sorted[i].item<double>() <= static_cast<double>(i + 1));
  }
  CHECK(torch::equal(equation.draw(grid, 5, 7, 1).field("viscosity").values,
                     equation.draw(grid, 5, 0, 16).field("viscosity").values.narrow(0, 7, 1)));
}
