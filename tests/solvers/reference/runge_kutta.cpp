#include <fmt/format.h>
#include <locum/core/random.hpp>
#include <locum/physics/ordinary/lorenz.hpp>
#include <locum/physics/registry.hpp>
#include <locum/solvers/reference/ordinary/runge_kutta.hpp>

#include <cmath>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/lyapunov.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::physics;
using solvers::RungeKuttaSolver;
using tests::relative_distance;

static Tensor values(const Sample& state) { return state.field("state").values; }

TEST_CASE("Runge-Kutta: order 4", "[solvers][order]")
{
  const Lorenz96 equation({});
  const Sample start = equation.draw(equation.grid({40}), 1, 0, 3);
  const Tensor exact = values(RungeKuttaSolver(equation, {.step = 1e-4}).advance(start, 0.4));
  std::vector<double> errors;
  fmt::print("Lorenz-96: step    relative L2 error  order\n");
  for (const double step : {0.04, 0.02, 0.01, 0.005}) {
    errors.push_back(relative_distance(values(RungeKuttaSolver(equation, {.step = step}).advance(start, 0.4)), exact));
    fmt::print("{:>15.3f}  {:>17.3e}  {}\n", step, errors.back(),
               errors.size() < 2 ? "" : fmt::format("{:>5.2f}", std::log2(*(errors.rbegin() + 1) / errors.back())));
  }
  CHECK_THAT(std::log2(errors[2] / errors[3]), WithinAbs(4, 0.2));
}

TEST_CASE("Runge-Kutta: loops and libtorch's operations agree, and gradients pass a dot-product test", "[solvers]")
{
  for (const auto& [name, cells] : std::map<std::string, std::int64_t>{
           {"lorenz63", 3}, {"lorenz84", 3}, {"lorenz96", 7}, {"lorenz96_two_scale", 8}}) {
    INFO(name);
    OptionReader options{OptionTable{}};
    const auto made = make_equation(name, options, "equation");
    const auto& equation = dynamic_cast<const OrdinaryEquation&>(*made);
    const Sample start = equation.draw(equation.grid({cells}), 1, 0, 4);
    RungeKuttaSolver solver(equation, {.step = 0.001});
    const Tensor end = values(solver.advance(start, 0.02));

    Sample differentiable = start;
    const Tensor u = values(start).clone().requires_grad_();
    differentiable.fields["state"].values = u;
    const Tensor same = values(solver.advance(differentiable, 0.02));
    CHECK(relative_distance(end, same.detach()) < 1e-13);
    CHECK(torch::equal(values(solver.advance(start.members(2, 1), 0.02)), end.narrow(0, 2, 1)));

    const Tensor direction = RandomStream(0, "direction").normal(u.sizes()),
                 weights = RandomStream(0, "weights").normal(u.sizes());
    const Tensor gradient = torch::autograd::grad({(same * weights).sum()}, {u})[0];
    torch::NoGradGuard no_gradients;
    const auto at_distance = [&](double h) {
      Sample moved = start;
      moved.fields["state"].values = values(start) + h * direction;
      return (values(solver.advance(moved, 0.02)) * weights).sum().item<double>();
    };
    const double h = 1e-5;
    CHECK_THAT((gradient * direction).sum().item<double>() / ((at_distance(h) - at_distance(-h)) / (2 * h)),
               WithinAbs(1, 1e-6));
  }
}

TEST_CASE("Lorenz: largest Lyapunov exponents as published", "[solvers]")
{
  // Viswanath, PhD thesis, Cornell (1998): 0.9056. Lorenz, J. Atmos. Sci. 63 (2006): doubling time 0.42 for 40
  // variables.
  const Lorenz63 three({});
  const auto exponent = [](const OrdinaryEquation& equation, std::int64_t variables, double step, int times) {
    RungeKuttaSolver solver(equation, {.step = step});
    const Sample pair = equation.draw(equation.grid({variables}), 3, 0, 2);
    return tests::lyapunov_exponent(solver, pair, "state", 0.5, times);
  };
  CHECK_THAT(exponent(three, 3, 0.01, 6000), WithinAbs(0.9056, 0.02));
  CHECK_THAT(exponent(Lorenz96({}), 40, 0.02, 3000), WithinAbs(1.68, 0.05));
}

TEST_CASE("Lorenz: grids that do not fit are refused", "[solvers][error]")
{
  CHECK(tests::says(tests::message_of([] { Lorenz63({}).grid({40}); }), {"lorenz63", "[40]", "cells = [3]"}));
  CHECK(tests::says(tests::message_of([] { Lorenz96({}).grid({3}); }), {"lorenz96", "[3]", "at least 4"}));
  CHECK(tests::says(tests::message_of([] { TwoScaleLorenz96({.fast = 0}); }), {"fast", "0", "positive"}));
}
