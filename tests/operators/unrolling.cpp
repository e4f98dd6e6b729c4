#include <locum/io/batches/windows.hpp>
#include <locum/operators/rollout.hpp>
#include <locum/operators/training/unrolling.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"
#include "waves.hpp"

using namespace locum;
using namespace locum::operators;
using tests::message_of;
using tests::says;

static std::vector<Channel> channels(const std::vector<std::string>& fields)
{
  std::vector<Channel> all;
  for (const auto& field : fields) all.push_back({.field = field, .component = 0, .unit = "1"});
  return all;
}

static Surrogate stepper(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs)
{
  return Surrogate("name = \"fourier\"\nmodes = [4]\nwidth = 8\nlayers = 2\n", channels(inputs), channels(outputs),
                   RandomStream(3, "weights"), torch::kFloat64);
}

TEST_CASE("unrolling: truth and next inputs, channel by channel", "[operators]")
{
  const auto surrogate = stepper({"u@-1", "u", "h"}, {"u@+1"});
  const Unrolling unrolling(surrogate, channels({"u@+1", "u@+2", "u@+3"}), 3);
  const Tensor targets = torch::arange(3, torch::kFloat64).view({1, 3, 1}) + 1;
  CHECK(unrolling.truth(targets, 2).item<double>() == 3);
  const Tensor inputs = torch::tensor({-1.0, 0.0, 7.0}, torch::kFloat64).view({1, 3, 1});
  CHECK(torch::equal(unrolling.next_inputs(inputs, torch::full({1, 1, 1}, 1.0, torch::kFloat64)).flatten(),
                     torch::tensor({0.0, 1.0, 7.0}, torch::kFloat64)));

  CHECK(says(message_of([&] { Unrolling(surrogate, channels({"u@+1"}), 2); }), {"training.rollout", "u@+2"}));
  const auto steady = stepper({"u"}, {"v"});
  CHECK(says(message_of([&] { Unrolling(steady, channels({"v"}), 2); }), {"training.rollout", "outputs of now"}));
}

namespace {

/// u(x − ct) at steps 0 … steps.
struct Travelling {
  Tensor now, later;  // [sample, 1, x], [sample, step, x]

  Travelling(std::int64_t samples, std::int64_t steps, std::uint64_t seed)
  {
    const Tensor x = torch::arange(32, torch::kFloat64) * (2 * M_PI / 32);
    const Tensor phase = RandomStream(seed, "phase").uniform({samples, 1, 1}) * 6.28;
    const auto at = [&](double step) {
      return (x - 0.3 * step + phase).sin() + 0.5 * (2 * (x - 0.3 * step) + phase).cos();
    };
    now = at(0);
    std::vector<Tensor> all;
    for (std::int64_t step = 1; step <= steps; ++step) all.push_back(at(static_cast<double>(step)));
    later = torch::cat(all, 1);
  }
  io::Batch first(std::int64_t steps) const { return {.inputs = now, .outputs = later.narrow(1, 0, steps)}; }
};

}  // namespace

TEST_CASE("training on roll-outs: errors grow less than those of single steps", "[operators]")
{
  const Travelling training(40, 4, 1), validation(10, 4, 2), test(10, 12, 3);
  const auto error_after_12 = [&](const TrainingOptions& options) {
    const tests::TemporaryFolder folder;
    auto surrogate = stepper({"u"}, {"u@+1"});
    std::vector<std::string> targets;
    for (std::int64_t step = 1; step <= options.rollout.steps; ++step) targets.push_back(io::name_at("u", step));
    train(surrogate, training.first(options.rollout.steps), validation.first(options.rollout.steps), options,
          {.folder = folder.path(), .targets = channels(targets)});
    surrogate = Surrogate::load(folder / "best.h5");
    CHECK(surrogate.changes == (options.predict == Predict::change));
    const Rollout rollout(surrogate);
    Sample state{.domain = Grid::cell_centres({32}, {1}), .fields = {}, .scalars = {}, .time = 0};
    state.fields["u"] = {.values = test.now, .unit = "1"};
    return tests::relative_distance(rollout.run({state}, 12).back().field("u").values, test.later.narrow(1, 11, 1));
  };
  auto options = tests::quick(30);
  options.schedule.cosine_epochs = 0;
  options.schedule.rate = 3e-3;
  const double single = error_after_12(options);
  options.rollout.steps = 4;
  options.rollout.growth = 10;
  const double unrolled = error_after_12(options);
  options.rollout.gradient = RolloutGradient::last;
  options.predict = Predict::change;
  const double pushed = error_after_12(options);
  CAPTURE(single, unrolled, pushed);
  CHECK(unrolled < single);
  CHECK(pushed < single);
}
