#include <locum/operators/training/optimisers/adam.hpp>
#include <locum/operators/training/optimisers/gradient_descent.hpp>
#include <locum/operators/training/optimisers/lbfgs.hpp>

#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace locum::operators;

namespace {

/// Some numbers to be trained.
struct Numbers : Operator {
  explicit Numbers(const Tensor& start) { values = register_parameter("values", start.to(torch::kFloat64)); }
  Tensor forward(const Tensor& input) override { return input * values; }
  Tensor values;
};

/// Evaluates `f` at the numbers, with gradients.
template <class Function>
Optimiser::Evaluate evaluation(Numbers& numbers, Parameters& parameters, Function f)
{
  return [&numbers, &parameters, f] {
    torch::AutoGradMode with_gradients(true);
    parameters.forget_gradients();
    const Tensor value = f(numbers.values);
    value.backward();
    parameters.collect_gradient(0);
    return value.detach();
  };
}

}  // namespace

TEST_CASE("Adam: the first steps are those of the paper's algorithm", "[operators]")
{
  Numbers w(torch::tensor({1.0, -2.0}));
  Parameters parameters(w);
  Adam adam(parameters, Adam::WeightDecay::coupled, 0);
  const auto evaluate = evaluation(w, parameters, [](const Tensor& x) { return x.pow(4).sum() / 4; });

  std::vector<double> m(2, 0), v(2, 0), expected = {1.0, -2.0};  // gradient w³
  for (int t = 1; t <= 5; ++t) {
    adam.step(0.1, evaluate);
    for (std::size_t i = 0; i < 2; ++i) {
      const double g = std::pow(expected[i], 3);
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      expected[i] -= 0.1 * (m[i] / (1 - std::pow(0.9, t))) / (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
    }
    CHECK_THAT(w.values[0].item<double>(), WithinAbs(expected[0], 1e-12));
    CHECK_THAT(w.values[1].item<double>(), WithinAbs(expected[1], 1e-12));
  }
}

TEST_CASE("Adam: decoupled weight decay shrinks weights by rate times decay, whatever the gradient", "[operators]")
{
  Numbers plain(torch::tensor({3.0})), decayed(torch::tensor({3.0}));
  Parameters plain_parameters(plain), decayed_parameters(decayed);
  Adam without(plain_parameters, Adam::WeightDecay::decoupled, 0),
      with(decayed_parameters, Adam::WeightDecay::decoupled, 0.1);
  const auto sum = [](const Tensor& x) { return x.sum(); };
  without.step(0.01, evaluation(plain, plain_parameters, sum));
  with.step(0.01, evaluation(decayed, decayed_parameters, sum));
  CHECK_THAT(plain.values.item<double>() - decayed.values.item<double>(), WithinAbs(3.0 * 0.01 * 0.1, 1e-14));
}

TEST_CASE("gradient descent: Nesterov's momentum and weight decay", "[operators]")
{
  Numbers w(torch::tensor({1.0}));
  Parameters parameters(w);
  GradientDescent descent(parameters, /*momentum=*/0.9, /*weight_decay=*/0.1);
  const auto evaluate = evaluation(w, parameters, [](const Tensor& x) { return x.square().sum() / 2; });
  double x = 1, v = 0;
  for (int t = 0; t < 4; ++t) {
    descent.step(0.05, evaluate);
    const double g = x + 0.1 * x;
    v = 0.9 * v + g;
    x -= 0.05 * (g + 0.9 * v);
    CHECK_THAT(w.values.item<double>(), WithinAbs(x, 1e-14));
  }
}

TEST_CASE("L-BFGS: a stretched quadratic and Rosenbrock's valley to rounding", "[operators]")
{
  SECTION("quadratic")
  {
    Numbers w(torch::ones({6}));
    Parameters parameters(w);
    Lbfgs lbfgs(parameters);
    const Tensor scales = torch::tensor({1.0, 3.0, 10.0, 30.0, 100.0, 300.0}, torch::kFloat64);
    const auto f = [&](const Tensor& x) { return (scales * (x - 2).square()).sum(); };
    for (int t = 0; t < 40; ++t) lbfgs.step(1, evaluation(w, parameters, f));
    CHECK((w.values - 2).abs().max().item<double>() < 1e-8);
  }
  SECTION("Rosenbrock")
  {
    Numbers w(torch::tensor({-1.2, 1.0}));
    Parameters parameters(w);
    Lbfgs lbfgs(parameters);
    const auto f = [](const Tensor& x) { return (1 - x[0]).square() + 100 * (x[1] - x[0].square()).square(); };
    double last = 1e9;
    for (int t = 0; t < 50; ++t) {
      lbfgs.step(1, evaluation(w, parameters, f));
      const double now = f(w.values).item<double>();
      CHECK(now <= last);  // a step of it never goes up
      last = now;
    }
    CHECK(last < 1e-20);
  }
}
