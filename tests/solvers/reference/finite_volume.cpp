#include <fmt/format.h>
#include <locum/core/random.hpp>
#include <locum/physics/conservation/euler.hpp>
#include <locum/physics/conservation/shallow_water.hpp>
#include <locum/solvers/reference/conservation/finite_volume.hpp>

#include <cmath>
#include <functional>
#include <numbers>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"
#include "support/riemann.hpp"

using namespace locum;
using namespace locum::physics;
using solvers::FiniteVolumeSolver;
using tests::relative_distance;

namespace {

constexpr double pi = std::numbers::pi;

/// Mean of |a − b| over members and points.
double l1(const Tensor& a, const Tensor& b) { return (a - b).abs().mean().item<double>(); }

Sample gas(const Grid& grid, const Tensor& density, const std::vector<Tensor>& velocity, const Tensor& pressure)
{
  const auto spread = [&](const Tensor& values) { return (values + torch::zeros(grid.shape())).to(torch::kFloat64); };
  Sample state{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  std::vector<Tensor> components;
  for (const Tensor& component : velocity) components.push_back(spread(component));
  state.fields["density"] = {.values = spread(density).unsqueeze(0).unsqueeze(0), .unit = "1"};
  state.fields["velocity"] = {.values = torch::stack(components).unsqueeze(0), .unit = "1"};
  state.fields["pressure"] = {.values = spread(pressure).unsqueeze(0).unsqueeze(0), .unit = "1"};
  return state;
}

Sample water(const Grid& grid, const Tensor& depth)
{
  Sample state{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  state.fields["depth"] = {.values = depth.to(torch::kFloat64).view(grid.shape()).unsqueeze(0).unsqueeze(0),
                           .unit = "1"};
  auto shape = grid.shape();
  shape.insert(shape.begin(), {1, static_cast<std::int64_t>(grid.axes.size())});
  state.fields["discharge"] = {.values = torch::zeros(shape, torch::kFloat64), .unit = "1"};
  return state;
}

Tensor number(double value) { return torch::full({}, value, torch::kFloat64); }

/// Prints a table of errors, and returns the last observed order.
double last_order(const std::string& what, const std::vector<std::int64_t>& cells,
                  const std::function<double(std::int64_t)>& error)
{
  fmt::print("{}: cells  L1 error  order\n", what);
  double before = 0, order = 0;
  for (const std::int64_t n : cells) {
    const double now = error(n);
    order = std::log2(before / now);
    fmt::print("{:>10}  {:.3e}  {}\n", n, now, before > 0 ? fmt::format("{:.2f}", order) : "");
    before = now;
  }
  return order;
}

/// A vortex of entropy 1 that drifts with (1, ½): Shu, in Advanced Numerical Approximation of Nonlinear Hyperbolic
/// Equations (1998), §4.2 (box of side 10, strength 5).
Sample vortex(const Grid& grid, double gamma, double time)
{
  const auto from_centre = [&](std::size_t axis, double speed) {
    const Tensor distance = grid.coordinates(axis) - 5 - speed * time;
    return distance - 10 * (distance / 10).round();
  };
  const Tensor x = from_centre(1, 1), y = from_centre(0, 0.5).unsqueeze(1);
  const Tensor r2 = x.square() + y.square(), swirl = 5 / (2 * pi) * ((1 - r2) / 2).exp();
  const Tensor temperature = 1 - (gamma - 1) * 25 / (8 * gamma * pi * pi) * (1 - r2).exp();
  const Tensor density = temperature.pow(1 / (gamma - 1));
  return gas(grid, density, {1 - swirl * y, 0.5 + swirl * x}, density * temperature);
}

VolumeOptions line(double length, Boundary boundary) { return {.lengths = {length}, .boundary_x = boundary}; }

Tensor all_of(const EvolvingEquation& equation, const Sample& state) { return stack_channels(state, equation.state()); }

Tensor sums(const Tensor& channels) { return channels.flatten(2).sum(2); }

/// Density, momentum and energy.
Tensor conserved_of(const ConservationLaw& equation, const Sample& state)
{
  return equation.discretise(state.grid())->conserved(all_of(equation, state));
}

}  // namespace

TEST_CASE("finite volumes: Sod's tube, order 1 in L1", "[solvers][order]")
{
  const Euler equation({.gamma = 1.4, .volumes = line(1, Boundary::outflow)});
  const tests::GasRiemann exact({1, 0, 1}, {0.125, 0, 0.1}, 1.4);
  FiniteVolumeSolver solver(equation, {});
  std::vector<double> errors;
  const double order = last_order("Sod's tube, density", {100, 200, 400, 800}, [&](std::int64_t n) {
    const Grid grid = equation.grid({n});
    const Tensor x = grid.coordinates(0) - 0.5;
    const Sample start = gas(grid, torch::where(x < 0, number(1), number(0.125)), {number(0)},
                             torch::where(x < 0, number(1), number(0.1)));
    const Sample end = solver.advance(start, 0.2);
    Tensor density = torch::empty_like(x);
    for (std::int64_t i = 0; i < n; ++i) density[i] = exact.at(x[i].item<double>() / 0.2)[0];
    errors.push_back(l1(end.field("density").values[0][0], density));
    return errors.back();
  });
  CHECK(order > 0.75);  // contacts and the tails of fans spread: below 1
  CHECK(errors[1] < 3e-3);
}

TEST_CASE("finite volumes: an isentropic vortex, order 2", "[solvers][order]")
{
  const double gamma = 1.4;
  const Euler equation({.gamma = gamma, .volumes = {.lengths = {10, 10}}});
  FiniteVolumeSolver solver(equation, {});
  const double order = last_order("isentropic vortex, density", {32, 64, 128}, [&](std::int64_t n) {
    const Grid grid = equation.grid({n, n});
    const Sample end = solver.advance(vortex(grid, gamma, 0), 1);
    return l1(end.field("density").values, vortex(grid, gamma, 1).field("density").values);
  });
  CHECK_THAT(order, WithinAbs(2, 0.3));
}

TEST_CASE("finite volumes: dams break as Stoker and Ritter found", "[solvers][order]")
{
  const ShallowWater equation({.volumes = line(10, Boundary::outflow)});
  FiniteVolumeSolver solver(equation, {});
  for (const double low : {1.0, 0.0}) {
    const double order =
        last_order(low > 0 ? "Stoker's dam break, depth" : "Ritter's", {100, 200, 400, 800}, [&](std::int64_t n) {
          const Grid grid = equation.grid({n});
          const Tensor x = grid.coordinates(0) - 5;
          const Sample end = solver.advance(water(grid, torch::where(x < 0, number(2), number(low))), 1);
          Tensor depth = torch::empty_like(x);
          for (std::int64_t i = 0; i < n; ++i) depth[i] = tests::dam_break(2, low, 1, x[i].item<double>())[0];
          CHECK(end.field("depth").values.min().item<double>() >= 0);
          return l1(end.field("depth").values[0][0], depth);
        });
    CHECK(order > 0.8);
  }
}

TEST_CASE("finite volumes: shear decays, order 2", "[solvers][order]")
{
  // v = A sin kx decays as exp(−η k² t) in a gas of density 1; what it heats is of order A².
  const double amplitude = 1e-4, eta = 0.05;
  const Euler equation({.shear_viscosity = eta, .bulk_viscosity = 0.01, .volumes = {.lengths = {1, 1}}});
  FiniteVolumeSolver solver(equation, {});
  const double order = last_order("decaying shear", {16, 32, 64}, [&](std::int64_t n) {
    const Grid grid = equation.grid({4, n});
    const Tensor wave = amplitude * (2 * pi * grid.coordinates(1)).sin();
    const Sample end = solver.advance(gas(grid, number(1), {number(0), wave}, number(1)), 0.5);
    return l1(end.field("velocity").values[0][1], wave * std::exp(-eta * 4 * pi * pi * 0.5)) / amplitude;
  });
  CHECK_THAT(order, WithinAbs(2, 0.1));
}

TEST_CASE("finite volumes: the viscous terms are ∇·σ and ∇·(σu), order 2", "[physics][order]")
{
  const double eta = 0.3, zeta = 0.2;
  const auto rate = [&](const Euler& equation, const Sample& state) {
    return equation.discretise(state.grid())->rate(conserved_of(equation, state))[0];
  };
  const VolumeOptions square{.lengths = {2 * pi, 2 * pi}};
  const double order = last_order("viscous terms", {16, 32, 64}, [&](std::int64_t n) {
    const Euler viscous({.shear_viscosity = eta, .bulk_viscosity = zeta, .volumes = square}),
        ideal({.volumes = square});
    const Grid grid = viscous.grid({n, n});
    const Tensor y = grid.coordinates(0).unsqueeze(1), x = grid.coordinates(1);
    const Tensor u = x.sin() * y.cos(), v = (x + y).sin();
    const Sample state = gas(grid, 1 + 0.2 * x.cos(), {u, v}, number(1));
    const Tensor found = rate(viscous, state) - rate(ideal, state);
    // Derivatives of u and v, by hand.
    const Tensor ux = x.cos() * y.cos(), uy = -x.sin() * y.sin(), vx = (x + y).cos(), vy = vx;
    const Tensor uxx = -u, uyy = -u, uxy = -x.cos() * y.sin(), vxx = -v, vyy = -v, vxy = -v;
    const Tensor fx = eta * (uxx + uyy) + (zeta + eta / 3) * (uxx + vxy);
    const Tensor fy = eta * (vxx + vyy) + (zeta + eta / 3) * (uxy + vyy);
    const Tensor divergence = (zeta - 2 * eta / 3) * (ux + vy), shear = eta * (uy + vx);
    const Tensor heat = (2 * eta * ux + divergence) * ux + (2 * eta * vy + divergence) * vy + shear * (uy + vx);
    return l1(found, torch::stack({torch::zeros_like(fx), fx, fy, u * fx + v * fy + heat}));
  });
  CHECK_THAT(order, WithinAbs(2, 0.1));
}

TEST_CASE("finite volumes: a lake at rest stays at rest, islands in it", "[solvers][property]")
{
  for (const int axes : {1, 2}) {
    std::vector<double> lengths(static_cast<std::size_t>(axes), 5);
    const ShallowWater equation({.bed = Bed::hills,
                                 .hill_height = 1.5,
                                 .inner_depth = 1,
                                 .volumes = {.lengths = lengths, .boundary_y = Boundary::wall}});
    const Grid grid = equation.grid(std::vector<std::int64_t>(static_cast<std::size_t>(axes), 48));
    const Sample lake = equation.draw(grid, 5, 0, 3);
    CHECK(lake.field("depth").values.min().item<double>() == 0);
    const Sample later = FiniteVolumeSolver(equation, {}).advance(lake, 2);
    CHECK((later.field("depth").values - lake.field("depth").values).abs().max().item<double>() < 1e-14);
    CHECK(later.field("discharge").values.abs().max().item<double>() < 1e-13);
    CHECK(torch::equal(later.field("topography").values, lake.field("topography").values));
  }
}

TEST_CASE("finite volumes: what is conserved is, to rounding", "[solvers][property]")
{
  for (const Limiter limiter : {Limiter::van_leer, Limiter::minmod}) {
    const Euler periodic({.shear_viscosity = 0.01, .volumes = {.lengths = {1, 2}, .limiter = limiter}});
    const Grid grid = periodic.grid({24, 32});
    const Sample start = periodic.draw(grid, 1, 0, 3), end = FiniteVolumeSolver(periodic, {}).advance(start, 0.1);
    const Tensor before = sums(conserved_of(periodic, start)), after = sums(conserved_of(periodic, end));
    const Tensor scale = sums(conserved_of(periodic, start).abs());
    CHECK(((after - before).abs() / scale).max().item<double>() < 1e-13);
    CHECK(relative_distance(all_of(periodic, end), all_of(periodic, start)) > 0.01);
  }
  const VolumeOptions box{.lengths = {5, 5}, .boundary_y = Boundary::wall, .boundary_x = Boundary::wall};
  const Euler walls({.volumes = box});
  const Grid grid = walls.grid({24, 24});
  const Sample start = walls.draw(grid, 2, 0, 2), end = FiniteVolumeSolver(walls, {}).advance(start, 1);
  const Tensor ratio = sums(conserved_of(walls, end)) / sums(conserved_of(walls, start));
  for (const int quantity : {0, 3}) CHECK_THAT(ratio[0][quantity].item<double>(), WithinAbs(1, 1e-13));

  const ShallowWater basin({.bed = Bed::hills, .hill_height = 1.5, .volumes = box});
  const Sample dam = basin.draw(grid, 3, 0, 2), flood = FiniteVolumeSolver(basin, {}).advance(dam, 3);
  CHECK(relative_distance(sums(flood.field("depth").values), sums(dam.field("depth").values)) < 1e-13);
}

TEST_CASE("finite volumes: densities, pressures and depths stay positive", "[solvers][property]")
{
  // Two fans that leave next to nothing between them: Einfeldt et al., J. Comput. Phys. 92 (1991), 1-2-0-3.
  const Euler equation({.gamma = 1.4, .volumes = line(1, Boundary::outflow)});
  const Grid grid = equation.grid({200});
  const Tensor side = (grid.coordinates(0) - 0.5).sign();
  const Sample end = FiniteVolumeSolver(equation, {}).advance(gas(grid, number(1), {2 * side}, number(0.4)), 0.15);
  CHECK(end.field("density").values.min().item<double>() > 0);
  CHECK(end.field("pressure").values.min().item<double>() > 0);

  const ShallowWater flood({.bed = Bed::hills, .hill_height = 1.5, .outer_depth = 0});
  const Sample start = flood.draw(flood.grid({40, 40}), 3, 0, 3);
  const Sample later = FiniteVolumeSolver(flood, {.courant = 0.5}).advance(start, 3);
  CHECK(later.field("depth").values.min().item<double>() >= 0);
}

TEST_CASE("finite volumes: a turned state turns", "[solvers][property]")
{
  const Euler equation(
      {.shear_viscosity = 0.01, .volumes = {.boundary_y = Boundary::outflow, .boundary_x = Boundary::wall}});
  const Euler other(
      {.shear_viscosity = 0.01, .volumes = {.boundary_y = Boundary::wall, .boundary_x = Boundary::outflow}});
  const Grid grid = equation.grid({20, 20});
  const Sample start = equation.draw(grid, 1, 0, 1);
  Sample turned = start;
  for (auto& [name, field] : turned.fields) field.values = field.values.transpose(2, 3).contiguous();
  turned.fields["velocity"].values = turned.fields["velocity"].values.flip(1);
  const Sample end = FiniteVolumeSolver(equation, {}).advance(start, 0.1);
  const Sample same = FiniteVolumeSolver(other, {}).advance(turned, 0.1);
  CHECK(relative_distance(same.field("pressure").values.transpose(2, 3), end.field("pressure").values) < 1e-13);
  CHECK(relative_distance(same.field("velocity").values.transpose(2, 3).flip(1), end.field("velocity").values) < 1e-11);
}

TEST_CASE("finite volumes: loops and libtorch's operations agree, and gradients pass a dot-product test", "[solvers]")
{
  const VolumeOptions plane{.lengths = {1, 1.5}, .boundary_y = Boundary::wall};
  const VolumeOptions steep{.lengths = {1}, .boundary_x = Boundary::outflow, .limiter = Limiter::minmod};
  const Euler viscous({.shear_viscosity = 0.02, .bulk_viscosity = 0.01, .volumes = plane}), ideal({.volumes = steep});
  const ShallowWater flat({.volumes = {.lengths = {5}, .boundary_x = Boundary::wall}}), hilly({.bed = Bed::hills});
  for (const ConservationLaw* equation : std::vector<const ConservationLaw*>{&viscous, &ideal, &flat, &hilly}) {
    const std::vector<std::int64_t> cells =
        equation->volumes().lengths.size() == 1 ? std::vector<std::int64_t>{24} : std::vector<std::int64_t>{12, 16};
    INFO(equation->name() << " along " << cells.size());
    FiniteVolumeSolver solver(*equation, {});
    const double time = equation->name() == "euler" ? 0.02 : 0.5;
    // Random values beside the drawn ones: dams are flat, and limiters have kinks there.
    Sample start = equation->draw(equation->grid(cells), 1, 0, 3);
    for (auto& [name, field] : start.fields)
      field.values = field.values + 0.05 * RandomStream(1, name).uniform(field.values.sizes());
    const Tensor end = all_of(*equation, solver.advance(start, time));
    CHECK(torch::equal(all_of(*equation, solver.advance(start.members(2, 1), time)), end.narrow(0, 2, 1)));

    const auto end_of = [&](const Tensor& values) {
      Sample state = start;
      state.fields = split_channels(values, describe_channels(start, equation->state()));
      return all_of(*equation, solver.advance(state, time));
    };
    const Tensor u = all_of(*equation, start).clone().requires_grad_();
    const Tensor same = end_of(u);
    CHECK(relative_distance(same.detach(), end) < 1e-12);

    // The tendency is what a short step does.
    torch::NoGradGuard no_gradients;
    const double moment = 1e-7;
    const Tensor moved = all_of(*equation, solver.advance(start, moment)) - u;
    CHECK(relative_distance(moved / moment, equation->tendency(u, start.grid())) < 1e-4);

    // Of the tendency: how long steps are has no derivative.
    torch::AutoGradMode gradients(true);
    const auto tendency_of = [&](const Tensor& values) { return equation->tendency(values, start.grid()); };
    const Tensor direction = RandomStream(0, "direction").normal(u.sizes()),
                 weights = RandomStream(0, "weights").normal(u.sizes());
    const Tensor gradient = torch::autograd::grad({(tendency_of(u) * weights).sum()}, {u})[0];
    const double h = 1e-7;
    const Tensor along = (tendency_of(u + h * direction) - tendency_of(u - h * direction)) / (2 * h);
    CHECK_THAT((gradient * direction).sum().item<double>() / (along * weights).sum().item<double>(),
               WithinAbs(1, 1e-4));
    CHECK(torch::isfinite(torch::autograd::grad({same.sum()}, {u})[0]).all().item<bool>());
  }
}

TEST_CASE("finite volumes: float32 comes back as float32", "[solvers]")
{
  const Euler equation({});
  const Sample start = equation.draw(equation.grid({16, 16}), 1, 0, 2);
  FiniteVolumeSolver solver(equation, {});
  const Sample end = solver.advance(start.to(torch::kFloat32), 0.05);
  CHECK(end.field("pressure").values.scalar_type() == torch::kFloat32);
  CHECK(relative_distance(end.field("velocity").values, solver.advance(start, 0.05).field("velocity").values) < 1e-4);
}

TEST_CASE("finite volumes: ranks find bit for bit what one finds", "[solvers][ranks2][ranks4]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  const VolumeOptions channel{.lengths = {5, 5}, .boundary_y = Boundary::periodic, .boundary_x = Boundary::wall};
  const ShallowWater open({.bed = Bed::hills}), periodic({.volumes = channel}),
      on_line({.volumes = line(5, Boundary::outflow)});
  const Euler viscous({.shear_viscosity = 0.01});
  for (const ConservationLaw* equation : std::vector<const ConservationLaw*>{&open, &periodic, &on_line, &viscous})
    for (const std::int64_t members : {1, 5}) {
      const bool plane = equation->volumes().lengths.size() == 2;
      const Grid grid = equation->grid(plane ? std::vector<std::int64_t>{17, 16} : std::vector<std::int64_t>{32});
      const Sample start = equation->draw(grid, 1, 0, members);
      const Sample shared = FiniteVolumeSolver(*equation, {}, ranks).advance(start, 0.1);
      const Sample alone = FiniteVolumeSolver(*equation, {}).advance(start, 0.1);
      CHECK(torch::equal(all_of(*equation, shared), all_of(*equation, alone)));
    }
}

TEST_CASE("finite volumes: what they cannot do they say", "[solvers][error]")
{
  using tests::message_of;
  using tests::says;
  const Euler equation({.volumes = line(1, Boundary::periodic)});
  CHECK(says(message_of([&] { FiniteVolumeSolver(equation, {.courant = 1.5}); }), {"euler", "solver.courant", "1.5"}));
  CHECK(says(message_of([] { Euler({.gamma = 1}); }), {"gamma", "above 1"}));
  CHECK(says(message_of([] { Euler({.states = GasStates::shock}); }), {"states", "shock along 2 axes", "a line"}));
  CHECK(says(message_of([] { Euler({.volumes = {.lengths = {1, 1, 1}}}); }), {"lengths", "[1, 1, 1]"}));
  CHECK(says(message_of([] { ShallowWater({.dam_radius = {0.7, 0.3}}); }), {"dam_radius", "[0.7, 0.3]"}));
  CHECK(says(message_of([&] { equation.grid({32, 32}); }), {"euler", "[32, 32]", "1 number"}));

  FiniteVolumeSolver solver(equation, {});
  const Grid grid = equation.grid({32});
  Sample state = equation.draw(grid, 0, 0, 2);
  CHECK(says(message_of([&] { solver.advance(state, 0); }), {"duration", "0", "positive"}));
  CHECK(says(message_of([&] { equation.tendency(torch::ones({1, 4, 32}), grid); }), {"[1, 4, 32]", "[batch, 3, 32]"}));
  state.fields["pressure"].values = state.field("pressure").values * torch::tensor({1.0, -1.0}).view({2, 1, 1});
  CHECK(says(message_of([&] { solver.advance(state, 1); }), {"member 1", "not finite", "solver.courant = 0.4"}));
}
