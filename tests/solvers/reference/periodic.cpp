#include <fmt/format.h>
#include <locum/core/random.hpp>
#include <locum/physics/periodic/advection_diffusion.hpp>
#include <locum/physics/periodic/barotropic.hpp>
#include <locum/physics/periodic/burgers.hpp>
#include <locum/physics/periodic/burgers_2d.hpp>
#include <locum/physics/periodic/korteweg_de_vries.hpp>
#include <locum/physics/periodic/kuramoto_sivashinsky.hpp>
#include <locum/physics/periodic/navier_stokes.hpp>
#include <locum/physics/periodic/navier_stokes_3d.hpp>
#include <locum/physics/periodic/quasi_geostrophic.hpp>
#include <locum/physics/periodic/schrodinger.hpp>
#include <locum/physics/registry.hpp>
#include <locum/solvers/reference/periodic/periodic.hpp>

#include <cmath>
#include <numbers>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::physics;
using solvers::Dealiasing;
using solvers::PeriodicSolver;
using solvers::Scheme;
using tests::relative_distance;

namespace {

constexpr double pi = std::numbers::pi;

Sample state_of(const Grid& grid, const std::string& field, const Tensor& values)
{
  Sample state{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  state.fields[field] = {.values = values.unsqueeze(0).unsqueeze(0), .unit = "1"};
  return state;
}

Tensor only_field(const Sample& state, const std::string& name) { return state.field(name).values[0][0]; }

/// Observed orders of a scheme on Burgers' equation, from its exact solution at time 0.4.
std::vector<double> orders(Scheme scheme, const std::vector<double>& steps)
{
  const BurgersOptions options{.viscosity = 0.05};
  const Burgers equation(options);
  const Grid grid = equation.grid({128});
  const Sample start = state_of(grid, "u", burgers_exact(options, grid, 0));
  std::vector<double> errors, found;
  fmt::print("{:<8} step    relative L2 error  order\n", name_of(scheme));
  for (const double step : steps) {
    PeriodicSolver solver(equation, {.step = step, .scheme = scheme});
    errors.push_back(relative_distance(only_field(solver.advance(start, 0.4), "u"), burgers_exact(options, grid, 0.4)));
    if (errors.size() > 1) found.push_back(std::log2(*(errors.rbegin() + 1) / errors.back()));
    fmt::print("{:<8} {:.4f}  {:>17.3e}  {}\n", "", step, errors.back(),
               found.empty() ? "" : fmt::format("{:>5.2f}", found.back()));
  }
  return found;
}

}  // namespace

TEST_CASE("periodic solver: order in time, against Cole and Hopf", "[solvers][order]")
{
  CHECK_THAT(orders(Scheme::etdrk4, {0.1, 0.05, 0.025, 0.0125}).back(), WithinAbs(4, 0.2));
  CHECK_THAT(orders(Scheme::etdab3, {0.02, 0.01, 0.005, 0.0025}).back(), WithinAbs(3, 0.2));
  CHECK_THAT(orders(Scheme::cnab2, {0.02, 0.01, 0.005, 0.0025}).back(), WithinAbs(2, 0.2));
}

TEST_CASE("periodic solver: order in time of a velocity in the plane, against Cole and Hopf", "[solvers][order]")
{
  const Burgers2DOptions options{.viscosity = 0.05};
  const Burgers2D equation(options);
  const Grid grid = equation.grid({48, 64});
  const auto state = [&](double time) {
    Sample exact{.domain = grid, .fields = {}, .scalars = {}, .time = time};
    exact.fields["velocity"] = {.values = burgers_exact(options, grid, time).unsqueeze(0), .unit = "1"};
    return exact;
  };
  const Tensor exact = state(0.4).field("velocity").values;
  std::vector<double> errors;
  fmt::print("Burgers in the plane, etdrk4: step, relative L2 error, order\n");
  for (const double step : {0.1, 0.05, 0.025}) {
    PeriodicSolver solver(equation, {.step = step});
    errors.push_back(relative_distance(solver.advance(state(0), 0.4).field("velocity").values, exact));
    fmt::print("{:>14.4f}  {:>17.3e}  {}\n", step, errors.back(),
               errors.size() > 1 ? fmt::format("{:>5.2f}", std::log2(*(errors.rbegin() + 1) / errors.back())) : "");
  }
  CHECK_THAT(std::log2(errors[1] / errors[2]), WithinAbs(4, 0.25));
}

TEST_CASE("periodic solver: spectral in space", "[solvers][order]")
{
  const BurgersOptions options{.viscosity = 0.05};
  const Burgers equation(options);
  PeriodicSolver solver(equation, {.step = 1e-3});
  std::vector<double> errors;
  fmt::print("points  relative L2 error\n");
  for (const std::int64_t points : {16, 32, 64}) {
    const Grid grid = equation.grid({points});
    const Sample end = solver.advance(state_of(grid, "u", burgers_exact(options, grid, 0)), 0.4);
    errors.push_back(relative_distance(only_field(end, "u"), burgers_exact(options, grid, 0.4)));
    fmt::print("{:>6}  {:>17.3e}\n", points, errors.back());
  }
  CHECK(errors[1] < 1e-4 * errors[0]);
  CHECK(errors[2] < 1e-11);
}

TEST_CASE("periodic solver: solitons keep their shape", "[solvers]")
{
  const KortewegDeVries kdv({.length = 4});
  const double speed = 0.5;
  Grid grid = kdv.grid({256});
  PeriodicSolver kdv_solver(kdv, {.step = 1e-3, .dealiasing = Dealiasing::none});
  const Sample moved = kdv_solver.advance(state_of(grid, "u", kdv.soliton(grid, speed, 0.5)), 2);
  CHECK(relative_distance(only_field(moved, "u"), kdv.soliton(grid, speed, 0.5 + 2 * speed)) < 1e-6);

  const Schrodinger nls({.length = 20});
  grid = nls.grid({256});
  const auto wave = [&](double time) {
    const Tensor parts = nls.soliton(grid, 2, 0.5, 8, time);
    Sample state = state_of(grid, "real", parts[0]);
    state.merge(state_of(grid, "imaginary", parts[1]));
    return state;
  };
  PeriodicSolver nls_solver(nls, {.step = 1e-3, .dealiasing = Dealiasing::none});
  const Sample end = nls_solver.advance(wave(0), 3), exact = wave(3);
  for (const char* part : {"real", "imaginary"})
    CHECK(relative_distance(only_field(end, part), only_field(exact, part)) < 1e-7);
}

TEST_CASE("periodic solver: Taylor-Green vortices decay exactly", "[solvers]")
{
  const NavierStokes equation({.length = 2 * pi, .viscosity = 0.02, .stirring = Stirring::none});
  const Grid grid = equation.grid({32, 48});
  const Tensor y = grid.coordinates(0).unsqueeze(1), x = grid.coordinates(1);
  const Tensor vorticity = (2 * x).cos() * (3 * y).cos();
  PeriodicSolver solver(equation, {.step = 0.1});
  const Sample end = solver.advance(state_of(grid, "vorticity", vorticity), 2);
  CHECK(relative_distance(only_field(end, "vorticity"), vorticity * std::exp(-0.02 * 13 * 2)) < 1e-12);
}

TEST_CASE("periodic solver: a wave is carried and damped exactly, in one step", "[solvers]")
{
  const AdvectionDiffusion equation({.length = 2 * pi, .velocity = {0.5, 2}, .diffusivity = 0.1});
  const Grid grid = equation.grid({20, 24});
  const Tensor y = grid.coordinates(0).unsqueeze(1), x = grid.coordinates(1);
  const auto wave = [&](double time) {
    return (x - 2 * time + 3 * (y - 0.5 * time)).sin() * std::exp(-0.1 * 10 * time);
  };
  PeriodicSolver solver(equation, {.step = 10});
  CHECK(relative_distance(only_field(solver.advance(state_of(grid, "u", wave(0)), 2), "u"), wave(2)) < 1e-13);
}

TEST_CASE("periodic solver: Beltrami flow decays exactly in the cube", "[solvers]")
{
  // Arnold, Beltrami and Childress: its vorticity is its velocity, so that u × ω is zero.
  const NavierStokes3D equation({.viscosity = 0.1});
  const Grid grid = equation.grid({12, 16, 18});
  const Tensor z = grid.coordinates(0).view({-1, 1, 1}), y = grid.coordinates(1).view({-1, 1}), x = grid.coordinates(2);
  const Tensor all = torch::zeros({12, 16, 18}, torch::kFloat64);
  const Tensor flow =
      torch::stack({all + z.sin() + 3 * y.cos(), all + 2 * x.sin() + z.cos(), all + 3 * y.sin() + 2 * x.cos()})
          .unsqueeze(0);
  Sample state{.domain = grid, .fields = {{"velocity", {flow, "1"}}}, .scalars = {}, .time = 0};
  PeriodicSolver solver(equation, {.step = 0.05});
  CHECK(relative_distance(solver.advance(state, 1).field("velocity").values, flow * std::exp(-0.1)) < 1e-12);
}

TEST_CASE("periodic solver: Lamb's dipole travels at its own speed", "[solvers]")
{
  // Lamb, Hydrodynamics (1932), §165: vorticity −2 U k J1(kr) / J0(ka) sin θ inside the circle ka = 3.8317.
  const double a = 2 * pi / 20, speed = 1, ka = 3.8317059702075125, k = ka / a;
  const NavierStokes equation({.length = 2 * pi, .viscosity = 0, .stirring = Stirring::none});
  const Grid grid = equation.grid({256, 256});
  const Tensor y = grid.coordinates(0).unsqueeze(1) - pi, x = grid.coordinates(1) - pi;
  const Tensor r = (x.square() + y.square()).sqrt(), sine = y / r.clamp_min(1e-12);
  const Tensor inside = (r < a).to(torch::kFloat64);
  const Tensor vorticity = -2 * speed * k / std::cyl_bessel_j(0, ka) * torch::special::bessel_j1(k * r) * sine * inside;
  const auto place = [&](const Tensor& field) {  // of its enstrophy
    const Tensor weight = field.square();
    return ((x + pi) * weight).sum().item<double>() / weight.sum().item<double>();
  };
  PeriodicSolver solver(equation, {.step = 0.005, .dealiasing = Dealiasing::smooth});
  const Tensor end = only_field(solver.advance(state_of(grid, "vorticity", vorticity), 0.5), "vorticity");
  CHECK_THAT((place(end) - place(vorticity)) / 0.5, WithinAbs(speed, 0.01));  // its images push back by 0.8 %
}

TEST_CASE("periodic solver: Rossby waves keep their dispersion relation", "[solvers]")
{
  const double radius = 0.7, beta = 5, length = 2 * pi, k = 2, l = 3;
  const Barotropic equation({.length = length, .beta = beta, .deformation_radius = radius});
  const Grid grid = equation.grid({48, 48});
  const Tensor y = grid.coordinates(0).unsqueeze(1), x = grid.coordinates(1);
  const double omega = -beta * k / (k * k + l * l + 1 / (radius * radius));
  const auto wave = [&](double time) { return (k * x + l * y - omega * time).cos(); };
  PeriodicSolver solver(equation, {.step = 0.05});
  const Sample end = solver.advance(state_of(grid, "potential_vorticity", wave(0)), 3);
  CHECK(relative_distance(only_field(end, "potential_vorticity"), wave(3)) < 1e-12);
}

TEST_CASE("periodic solver: baroclinic waves grow as Phillips' problem says", "[solvers]")
{
  // Equal layers, no β, no drag: growth k U √((F − k²) / (F + k²)) with F = 1/R², shear 2 U (Vallis 2017, §9.6).
  const double radius = 15e3, flow = 0.02, length = 2 * pi * 40e3;
  const QuasiGeostrophic equation({.length = length,
                                   .beta = 0,
                                   .deformation_radius = radius,
                                   .layer_ratio = 1,
                                   .upper_flow = flow,
                                   .lower_flow = -flow,
                                   .bottom_drag = 0});
  const Grid grid = equation.grid({16, 16});
  const double k = 2 * pi / length, f = 1 / (radius * radius);
  const double growth = k * flow * std::sqrt((f - k * k) / (f + k * k));
  Sample state = state_of(grid, "potential_vorticity_1", 1e-12 * (k * grid.coordinates(1)).cos().expand({16, 16}));
  state.merge(state_of(grid, "potential_vorticity_2", 0.5e-12 * (k * grid.coordinates(1)).sin().expand({16, 16})));
  PeriodicSolver solver(equation, {.step = 3600});
  const double time = 3 / growth;
  const Sample before = solver.advance(state, 10 / growth), after = solver.advance(before, time);
  const auto size = [](const Sample& s) { return s.field("potential_vorticity_1").values.norm().item<double>(); };
  CHECK_THAT(std::log(size(after) / size(before)) / time / growth, WithinAbs(1, 1e-8));
}

TEST_CASE("periodic solver: our loops and libtorch's operations agree, and members are independent", "[solvers]")
{
  torch::NoGradGuard no_gradients;
  const std::map<std::string, std::pair<std::vector<std::int64_t>, double>> grids = {
      {"allen_cahn", {{30}, 0.01}},
      {"barotropic", {{24, 27}, 0.01}},
      {"burgers", {{33}, 1e-3}},
      {"burgers_2d", {{18, 15}, 1e-3}},
      {"korteweg_de_vries", {{32}, 1e-3}},
      {"kuramoto_sivashinsky", {{50}, 0.05}},
      {"navier_stokes", {{16, 18}, 0.01}},
      {"navier_stokes_3d", {{8, 9, 10}, 0.01}},
      {"advection_diffusion", {{21}, 0.1}},
      {"quasi_geostrophic", {{16, 20}, 3600}},
      {"schrodinger", {{64}, 1e-3}}};
  for (const auto& [name, set_up] : grids)
    for (const Scheme scheme : {Scheme::etdrk4, Scheme::etdab3, Scheme::cnab2})
      for (const Dealiasing dealiasing : {Dealiasing::none, Dealiasing::two_thirds, Dealiasing::smooth}) {
        INFO(name << ", " << name_of(scheme) << ", " << name_of(dealiasing));
        OptionReader options{OptionTable{}};
        const auto made = make_equation(name, options, "equation");
        const auto& equation = dynamic_cast<const PeriodicEquation&>(*made);
        const auto& [cells, step] = set_up;
        const Sample start = equation.draw(equation.grid(cells), 3, 0, 3);
        PeriodicSolver solver(equation, {.step = step, .scheme = scheme, .dealiasing = dealiasing});
        const Sample end = solver.advance(start, 5 * step);

        Sample differentiable = start;
        {
          torch::AutoGradMode gradients(true);
          for (auto& [field, content] : differentiable.fields) content.values = content.values.clone().requires_grad_();
          differentiable = solver.advance(differentiable, 5 * step);
        }
        const auto fields = equation.state();
        CHECK(relative_distance(stack_channels(end, fields), stack_channels(differentiable, fields).detach()) < 1e-11);

        const Sample alone = solver.advance(start.members(1, 1), 5 * step);
        CHECK(torch::equal(stack_channels(alone, fields), stack_channels(end.members(1, 1), fields)));
        const Sample coarse = solver.advance(start.to(torch::kFloat32), 5 * step);
        CHECK(coarse.field(fields[0]).values.scalar_type() == torch::kFloat32);
        CHECK(relative_distance(stack_channels(coarse, fields).to(torch::kFloat64), stack_channels(end, fields)) <
              1e-4);
      }
}

TEST_CASE("periodic solver: the same bits with any number of threads", "[solvers]")
{
  torch::NoGradGuard no_gradients;
  const NavierStokes equation({});
  const Sample start = equation.draw(equation.grid({96, 64}), 3, 0, 1);
  PeriodicSolver solver(equation, {.step = 0.01});
  const int before = at::get_num_threads();
  std::vector<Tensor> ends;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    ends.push_back(solver.advance(start, 0.1).field("vorticity").values);
  }
  at::set_num_threads(before);
  CHECK(torch::equal(ends[0], ends[1]));
  CHECK(torch::equal(ends[0], ends[2]));
}

TEST_CASE("periodic solver: gradients through a step pass a dot-product test", "[solvers]")
{
  const KuramotoSivashinsky equation({});
  const Grid grid = equation.grid({64});
  const Sample start = equation.draw(grid, 5, 0, 1);
  PeriodicSolver solver(equation, {.step = 0.1});
  const auto end_of = [&](const Tensor& u) {
    Sample state = start;
    state.fields["u"].values = u;
    return solver.advance(state, 1).field("u").values;
  };
  const Tensor u = start.field("u").values.clone().requires_grad_();
  const Tensor direction = RandomStream(0, "direction").normal({1, 1, 64}),
               weights = RandomStream(0, "weights").normal({1, 1, 64});
  const Tensor gradient = torch::autograd::grad({(end_of(u) * weights).sum()}, {u})[0];
  torch::NoGradGuard no_gradients;
  const double h = 1e-5;
  const Tensor along = (end_of(u + h * direction) - end_of(u - h * direction)) / (2 * h);
  CHECK_THAT((gradient * direction).sum().item<double>() / (along * weights).sum().item<double>(), WithinAbs(1, 1e-7));
}

TEST_CASE("periodic solver: what it cannot do it says", "[solvers][error]")
{
  const Burgers equation({});
  const Grid grid = equation.grid({64});
  const Sample state = equation.draw(grid, 0, 0, 2);
  CHECK(tests::says(tests::message_of([&] { PeriodicSolver(equation, {.step = 0}); }),
                    {"burgers", "solver.step", "0", "positive"}));
  PeriodicSolver solver(equation, {.step = 0.1});
  CHECK(tests::says(tests::message_of([&] { solver.advance(state, -1); }), {"duration", "-1", "positive"}));
  Sample walls = state;
  std::get<Grid>(walls.domain).axes[0].periodic = false;
  CHECK(tests::says(tests::message_of([&] { solver.advance(walls, 1); }), {"axis x", "not periodic"}));
  Sample wild = state;
  wild.fields["u"].values = wild.field("u").values * torch::tensor({1.0, 1e200}, torch::kFloat64).view({2, 1, 1});
  CHECK(tests::says(tests::message_of([&] { solver.advance(wild, 1); }),
                    {"member 1", "time 0", "not finite", "shorter step"}));
}
