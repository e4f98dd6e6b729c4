#include <locum/operators/fourier.hpp>
#include <locum/operators/training/recompute.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"
#include "waves.hpp"

using namespace locum;
using namespace locum::operators;
using tests::relative_distance;

namespace {

FourierOptions small(Kernel kernel)
{
  FourierOptions options;
  options.modes = {4, 6};
  options.width = 6;
  options.layers = 2;
  options.kernel = kernel;
  return options;
}

std::vector<Tensor> gradients_of(Operator& model, const Tensor& loss)
{
  return torch::autograd::grad({loss}, model.parameters(), {}, c10::nullopt, false, /*allow_unused=*/true);
}

}  // namespace

TEST_CASE("few modes: the same function and gradients as all modes of which the others are 0", "[operators][property]")
{
  const auto kernel = GENERATE(Kernel::automatic, Kernel::reference);
  const Tensor input = RandomStream(1, "input").normal({2, 1, 16, 18});
  FourierOperator all(small(kernel), 1, 1, RandomStream(2, "weights")),
      few(small(kernel), 1, 1, RandomStream(2, "weights"));
  all.to(torch::kFloat64);
  few.to(torch::kFloat64);
  few.keep_modes(0.5, /*clear=*/true);
  all.keep_modes(0.5, /*clear=*/true);
  all.keep_modes(1, /*clear=*/false);
  const Tensor expected = all.forward(input), found = few.forward(input);
  CHECK(relative_distance(found, expected) < 1e-13);
  const auto of_all = gradients_of(all, expected.square().sum()), of_few = gradients_of(few, found.square().sum());
  const auto names = all.named_parameters().keys();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].find("spectral") == std::string::npos) {
      CHECK(relative_distance(of_few[i], of_all[i]) < 1e-12);
      continue;
    }
    // [k_x, k_y, …]: of 0 … 5 the first three, of −4 … 3 the middle four
    const auto kept = [](const Tensor& weight) { return weight.narrow(0, 0, 3).narrow(1, 2, 4); };
    CHECK(relative_distance(kept(of_few[i]), kept(of_all[i])) < 1e-12);
    CHECK(of_few[i].count_nonzero().item<std::int64_t>() == kept(of_few[i]).count_nonzero().item<std::int64_t>());
  }
}

TEST_CASE("curriculum: modes and points grow to all in time", "[operators]")
{
  const CurriculumOptions options{.modes_from = 0.25, .coarse_from = 4, .growth = 6};
  CHECK(options.modes_in(0) == 0.25);
  CHECK(options.modes_in(3) == 0.625);
  CHECK(options.modes_in(6) == 1);
  std::vector<std::int64_t> coarseness;
  for (std::int64_t epoch = 0; epoch < 8; ++epoch) coarseness.push_back(options.coarseness_in(epoch));
  CHECK(coarseness == std::vector<std::int64_t>{4, 4, 2, 2, 1, 1, 1, 1});
}

TEST_CASE("curriculum: trained with few modes and points at first, stopped and gone on with, it learns the same map",
          "[operators][restart]")
{
  const auto training = tests::derivative_data(60, 1), validation = tests::derivative_data(20, 2);
  auto options = tests::quick(20);
  options.schedule.cosine_epochs = 0;
  options.curriculum = {.modes_from = 0.25, .coarse_from = 2, .growth = 8};
  const tests::TemporaryFolder folder, other;
  auto whole = tests::fresh(), stopped = tests::fresh(), resumed = tests::fresh();
  const auto result = train(whole, training, validation, options, {.folder = folder.path()});
  CHECK(result.best_validation < 0.1);
  int steps = 0;
  train(stopped, training, validation, options, {.folder = other.path(), .stop = [&] { return ++steps == 20; }});
  train(resumed, training, validation, options, {.folder = other.path()});
  CHECK(tests::same_weights(whole, resumed));

  options.normalise_over = NormaliseOver::point;
  CHECK(tests::says(tests::message_of([&] {
                      const tests::TemporaryFolder empty;
                      train(stopped, training, validation, options, {.folder = empty.path()});
                    }),
                    {"training.coarse_from", "normalise_over"}));
}

TEST_CASE("recomputing: the gradients of what is kept, of roll-outs too", "[operators][property]")
{
  const auto kernel = GENERATE(Kernel::automatic, Kernel::reference);
  FourierOperator model(small(kernel), 1, 1, RandomStream(2, "weights"));
  model.to(torch::kFloat64);
  const Tensor input = RandomStream(1, "input").normal({2, 1, 16, 18});
  const auto rolled_out = [&](auto&& step) {
    Tensor u = input, sum = torch::zeros({}, torch::kFloat64);
    for (int i = 0; i < 3; ++i) {
      u = step(u);
      sum = sum + u.square().mean();
    }
    return sum;
  };
  const Tensor kept = rolled_out([&](const Tensor& u) { return model.forward(u); });
  const Tensor again = rolled_out([&](const Tensor& u) { return forward_and_recompute(model, u, /*mixed=*/false); });
  CHECK(torch::equal(kept, again));
  const auto expected = gradients_of(model, kept), found = gradients_of(model, again);
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(relative_distance(found[i], expected[i]) < 1e-12);
}
