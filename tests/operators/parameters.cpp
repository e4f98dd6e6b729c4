#include <locum/operators/registry.hpp>
#include <locum/operators/surrogate.hpp>
#include <locum/operators/training/parameters.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum;
using namespace locum::operators;
using tests::message_of;
using tests::says;

static Surrogate small()
{
  const std::vector<Channel> channels = {{.field = "u", .component = 0, .unit = "1"}};
  return Surrogate("name = \"fourier\"\nmodes = [4]\nwidth = 8\nlayers = 2\nprojection_hidden = 16\n", channels,
                   channels, RandomStream(3, "weights"), torch::kFloat64);
}

TEST_CASE("parameters: the model's tensors are views of one vector, their gradients of another", "[operators]")
{
  auto surrogate = small();
  std::map<std::string, Tensor> before;
  for (const auto& item : surrogate.model().named_parameters()) before[item.key()] = item.value().detach().clone();
  Parameters parameters(surrogate.model());
  REQUIRE(parameters.groups().size() == 1);
  for (const auto& item : surrogate.model().named_parameters()) CHECK(torch::equal(item.value(), before[item.key()]));

  const Tensor x = RandomStream(1, "x").normal({2, 1, 16});
  const auto gradients = [&](int passes) {
    parameters.forget_gradients();
    for (int pass = 0; pass < passes; ++pass) surrogate.model().forward(x).square().sum().backward();
    for (std::int64_t i = 0; i < parameters.count(); ++i) parameters.collect_gradient(i);
    return parameters.gradients.clone();
  };
  const Tensor once = gradients(1);
  CHECK(once.norm().item<double>() > 0);
  CHECK(torch::allclose(gradients(2), 2 * once));
  {
    torch::NoGradGuard no_gradients;
    parameters.values.mul_(2);
  }
  for (const auto& item : surrogate.model().named_parameters())
    CHECK(torch::equal(item.value(), 2 * before[item.key()]));
}

TEST_CASE("parameters: groups, and what is frozen", "[operators]")
{
  auto surrogate = small();
  ParameterOptions options;
  options.freeze = {"lifting"};
  options.slow = {"projection"};
  options.decay_biases = false;
  Parameters parameters(surrogate.model(), options);
  CHECK(parameters.groups().size() == 4);  // slow or not, matrix or bias
  CHECK(parameters.groups().back().rate == 0.1);
  CHECK(!parameters.groups().back().decays);
  std::int64_t frozen = 0;
  for (const auto& item : surrogate.model().named_parameters()) frozen += !item.value().requires_grad();
  CHECK(frozen == 2);

  auto other = small();
  options.freeze = {"liftin", "encoder"};
  CHECK(says(message_of([&] { Parameters(other.model(), options); }),
             {"training.freeze", "\"encoder\"", "lifting.", "projection."}));
  options.freeze = {""};
  CHECK(says(message_of([&] { Parameters(other.model(), options); }), {"which are all there are"}));
}
