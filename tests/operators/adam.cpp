#include <locum/operators/training/adam.hpp>

#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace locum::operators;

TEST_CASE("Adam: the first steps are those of the paper's algorithm", "[operators]")
{
  const auto options = torch::TensorOptions(torch::kFloat64).requires_grad(true);
  auto w = torch::tensor({1.0, -2.0}, options);
  Adam adam({w}, Adam::WeightDecay::coupled, 0);

  std::vector<double> m(2, 0), v(2, 0), expected = {1.0, -2.0};  // f = Σ w⁴ / 4, gradient w³
  for (int t = 1; t <= 5; ++t) {
    adam.zero_gradients();
    (w.pow(4).sum() / 4).backward();
    adam.step(0.1);
    for (std::size_t i = 0; i < 2; ++i) {
      const double g = std::pow(expected[i], 3);
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      expected[i] -= 0.1 * (m[i] / (1 - std::pow(0.9, t))) / (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
    }
    CHECK_THAT(w[0].item<double>(), WithinAbs(expected[0], 1e-12));
    CHECK_THAT(w[1].item<double>(), WithinAbs(expected[1], 1e-12));
  }
}

TEST_CASE("Adam: decoupled weight decay shrinks weights by rate times decay, whatever the gradient", "[operators]")
{
  const auto options = torch::TensorOptions(torch::kFloat64).requires_grad(true);
  auto plain = torch::tensor({3.0}, options), decayed = torch::tensor({3.0}, options);
  Adam without({plain}, Adam::WeightDecay::decoupled, 0), with({decayed}, Adam::WeightDecay::decoupled, 0.1);
  plain.sum().backward();
  decayed.sum().backward();
  without.step(0.01);
  with.step(0.01);
  CHECK_THAT(plain.item<double>() - decayed.item<double>(), WithinAbs(3.0 * 0.01 * 0.1, 1e-14));
}
