#include <locum/physics/darcy.hpp>

#include <cmath>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using physics::Darcy;
using physics::DarcyOptions;
using physics::Permeability;
using tests::message_of;
using tests::says;

static Sample solution_of(const Tensor& pressure)
{
  Sample solution;
  solution.fields["pressure"].values = pressure;
  return solution;
}

TEST_CASE("Darcy residual: vanishes with order 2 inside on an exact solution", "[physics][order]")
{
  const Darcy equation;
  std::vector<double> largest;
  for (const std::int64_t cells : {32, 64, 128}) {
    const Sample exact = physics::darcy_manufactured(equation.grid({cells, cells}));
    const Tensor residual = equation.residual(exact, exact);
    const Tensor inside = residual.narrow(2, 1, cells - 2).narrow(3, 1, cells - 2);
    largest.push_back(inside.abs().max().item<double>());
  }
  CAPTURE(largest);
  CHECK_THAT(std::log2(largest[0] / largest[1]), WithinAbs(2, 0.1));
  CHECK_THAT(std::log2(largest[1] / largest[2]), WithinAbs(2, 0.1));
}

TEST_CASE("Darcy residual: its gradients are finite differences'", "[physics][property]")
{
  DarcyOptions options;
  options.permeability = Permeability::lognormal;
  const Darcy equation(options);
  Sample problem = equation.draw(equation.grid({6, 9}), 3, 0, 2);
  const Tensor a = problem.field("permeability").values.clone().requires_grad_();
  RandomStream random(3, "pressure");
  const Tensor u = random.normal(a.sizes()).requires_grad_();
  const Tensor weights = random.normal(a.sizes());
  const auto weighted = [&](const Tensor& permeability, const Tensor& pressure) {
    problem.fields["permeability"].values = permeability;
    return (equation.residual(problem, solution_of(pressure)) * weights).sum();
  };
  weighted(a, u).backward();

  const Tensor direction = random.normal(a.sizes());
  const double step = 1e-5;  // central differences: error step² + rounding / step, about 1e-10 of the value each
  const auto slope = [&](const Tensor& da, const Tensor& du) {
    torch::NoGradGuard no_gradients;
    return ((weighted(a + da, u + du) - weighted(a - da, u - du)) / (2 * step)).item<double>();
  };
  const Tensor none = torch::zeros_like(u);
  CHECK_THAT((a.grad() * direction).sum().item<double>(), WithinRel(slope(step * direction, none), 1e-7));
  CHECK_THAT((u.grad() * direction).sum().item<double>(), WithinRel(slope(none, step * direction), 1e-7));
}

TEST_CASE("Darcy residual: the operator is symmetric and positive", "[physics][property]")
{
  const Darcy equation;
  const Sample problem = equation.draw(equation.grid({15, 22}), 1, 0, 1);
  RandomStream random(1, "vectors");
  const Tensor u = random.normal({1, 1, 15, 22}), v = random.normal({1, 1, 15, 22});
  const auto apply = [&](const Tensor& w) {  // −∇·(a∇w)
    return equation.forcing(problem) - equation.residual(problem, solution_of(w));
  };
  const double vAu = (v * apply(u)).sum().item<double>(), uAv = (u * apply(v)).sum().item<double>();
  const double uAu = (u * apply(u)).sum().item<double>();
  CHECK_THAT((vAu - uAv) / uAu, WithinAbs(0, 1e-13));  // rounding
  CHECK(uAu > 0);
}

TEST_CASE("Darcy residual: a jump of permeability across a face is solved exactly", "[physics][property]")
{
  // Piecewise linear in x with flux a u' = 1: the harmonic mean makes the discrete flux exact where the jump is a face.
  const Darcy equation;
  const std::int64_t n = 16;
  Sample problem{.domain = equation.grid({n, n}), .fields = {}, .scalars = {}, .time = 0};
  const Tensor x = problem.grid().coordinates(1);
  const Tensor left = x < 0.5;
  const Tensor a = torch::where(left, torch::full_like(x, 3), 12.0).expand({1, 1, n, n}).contiguous();
  const Tensor u = torch::where(left, x / 3, 0.5 / 3 + (x - 0.5) / 12).expand({1, 1, n, n}).contiguous();
  problem.fields["permeability"].values = a;
  const Tensor divergence = equation.residual(problem, solution_of(u)) - equation.forcing(problem);
  const Tensor inside = divergence.narrow(2, 1, n - 2).narrow(3, 0, n - 1);  // u = 0 on the left edge only
  CHECK_THAT(inside.abs().max().item<double>(), WithinAbs(0, 1e-12));        // rounding of values / h² = 256
}

TEST_CASE("Darcy residual: computes in its arguments' type", "[physics]")
{
  const Darcy equation;
  const Sample exact = physics::darcy_manufactured(equation.grid({8, 8}));
  const Sample single = exact.to(torch::kFloat32);
  CHECK(equation.residual(single, single).dtype() == torch::kFloat32);
  CHECK(equation.residual(single, exact).dtype() == torch::kFloat64);
}

TEST_CASE("Darcy draws: problem i depends on the seed and i alone, not on the grid", "[physics][property]")
{
  const Darcy equation;
  const Grid coarse = equation.grid({32, 32}), fine = equation.grid({96, 96});
  const Tensor all = equation.draw(coarse, 7, 0, 5).field("permeability").values;
  const Tensor third = equation.draw(coarse, 7, 3, 1).field("permeability").values;
  CHECK(torch::equal(all.narrow(0, 3, 1), third));
  CHECK_FALSE(torch::equal(all.narrow(0, 2, 1), third));
  const Tensor finer = equation.draw(fine, 7, 3, 1).field("permeability").values;  // every third centre is the same
  CHECK(torch::equal(finer.slice(2, 1, {}, 3).slice(3, 1, {}, 3), third));
  CHECK_FALSE(torch::equal(equation.draw(coarse, 8, 3, 1).field("permeability").values, third));
}

TEST_CASE("Darcy draws: two values, each on half of the square on average", "[physics][property]")
{
  const Darcy equation;
  const std::int64_t draws = 400;
  const Tensor a = equation.draw(equation.grid({32, 32}), 1, 0, draws).field("permeability").values;
  CHECK(((a == 3) | (a == 12)).all().item<bool>());
  const Tensor high = (a == 12).to(torch::kFloat64).mean({1, 2, 3});
  const double standard_error = high.std().item<double>() / std::sqrt(double(draws));
  CHECK_THAT(high.mean().item<double>(), WithinAbs(0.5, 5 * standard_error));
}

TEST_CASE("Darcy draws: a lognormal permeability has the deviation asked for", "[physics][property]")
{
  DarcyOptions options;
  options.permeability = Permeability::lognormal;
  options.deviation = 0.7;
  const Darcy equation(options);
  const std::int64_t draws = 1000;
  const Tensor log_a = equation.draw(equation.grid({24, 24}), 1, 0, draws).field("permeability").values.log();
  const Tensor square = log_a.square().mean({1, 2, 3});
  const double standard_error = square.std().item<double>() / std::sqrt(double(draws));
  CHECK_THAT(square.mean().item<double>(), WithinAbs(0.49, 5 * standard_error));
}

TEST_CASE("Darcy: bad problems are refused in words", "[physics][error]")
{
  const Darcy equation;
  Sample problem = equation.draw(equation.grid({8, 8}), 1, 0, 3);
  Tensor& a = problem.fields["permeability"].values;

  SECTION("not positive")
  {
    a[1][0][2][5] = -4;
    CHECK(says(message_of([&] { equation.check(problem); }),
               {"field permeability", "found -4 at sample 1, [y, x] = [2, 5]", "positive values"}));
  }
  SECTION("not finite")
  {
    a[2][0][0][1] = std::nan("");
    CHECK(says(message_of([&] { equation.check(problem); }), {"field permeability", "nan at sample 2", "[0, 1]"}));
  }
  SECTION("no permeability")
  {
    problem.fields["permeabilty"] = problem.fields["permeability"];
    problem.fields.erase("permeability");
    CHECK(says(message_of([&] { equation.check(problem); }), {"no field \"permeability\"", "try   \"permeabilty\""}));
  }
  SECTION("another grid")
  {
    problem.domain = Grid::cell_centres({8, 8}, {1, 2});
    CHECK(says(message_of([&] { equation.check(problem); }),
               {"x: 8 points from 0.125 by 0.25", "equal cells of the unit square"}));
  }
  SECTION("another shape")
  {
    a = a.narrow(3, 0, 7);
    CHECK(says(message_of([&] { equation.check(problem); }), {"found [3, 1, 8, 7]", "expected [3, 1, 8, 8]"}));
  }
  SECTION("a forcing of another shape")
  {
    problem.fields["forcing"].values = torch::ones({3, 1, 4, 4});
    CHECK(says(message_of([&] { equation.check(problem); }), {"field forcing", "found [3, 1, 4, 4]"}));
  }
  SECTION("a solution of another shape")
  {
    CHECK(says(message_of([&] { equation.residual(problem, solution_of(a.narrow(0, 0, 1))); }),
               {"field pressure", "found [1, 1, 8, 8]", "expected [3, 1, 8, 8]"}));
  }
  SECTION("options")
  {
    CHECK(says(message_of([] { Darcy({.low = 0}); }), {"low", "found 0", "a positive number"}));
  }
  SECTION("one axis")
  {
    CHECK(says(message_of([&] { equation.grid({64}); }), {"[64]", "cells = [64, 64]"}));
  }
}
