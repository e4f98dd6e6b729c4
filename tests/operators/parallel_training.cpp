#include <locum/io/checkpoints/checkpoint.hpp>
#include <locum/operators/training/gradient_sum.hpp>
#include <locum/operators/training/trainer.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"
#include "support/temporary_folder.hpp"
#include "waves.hpp"

using namespace locum;
using namespace locum::operators;
using tests::message_of;
using tests::says;

static void same_as_alone(int ranks, OptimiserKind optimiser = OptimiserKind::adamw)
{
  const Communicator world(MPI_COMM_WORLD);
  REQUIRE(world.size() == ranks);
  const auto training = tests::derivative_data(37, 1), validation = tests::derivative_data(11, 2);  // uneven everywhere
  auto options = tests::quick(3);
  options.loss.loss = Loss::h1;
  options.rollout.noise = 0.01;
  options.clip = 1;
  options.optimiser.optimiser = optimiser;
  options.average = 0.9;

  const tests::TemporaryFolder alone_folder;
  auto alone = tests::fresh(torch::kFloat64);
  const auto expected = train(alone, training, validation, options, {.folder = alone_folder.path()});

  const tests::TemporaryFolder own;
  const auto folder = tests::shared(world, own);
  auto together = tests::fresh(torch::kFloat64);
  const auto result = train(together, training, validation, options, {.folder = folder, .ranks = world});
  CHECK_THAT(result.best_validation, WithinRel(expected.best_validation, 1e-9));
  for (const auto& item : together.model().named_parameters())
    CHECK(tests::relative_distance(item.value(), alone.model().named_parameters()[item.key()]) < 1e-8);

  // What each rank has of the optimiser's state is brought together for the checkpoint.
  if (world.is_root()) {
    const auto whole = io::Checkpoint::read(folder / "checkpoint.h5"),
               of_one = io::Checkpoint::read(alone_folder / "checkpoint.h5");
    REQUIRE(whole.names("training/optimiser") == of_one.names("training/optimiser"));
    for (const auto& name : of_one.names("training/optimiser")) {
      const auto path = "training/optimiser/" + name;
      CHECK(tests::relative_distance(whole.tensor(path).to(torch::kFloat64), of_one.tensor(path).to(torch::kFloat64)) <
            1e-8);
    }
  }

  // Stopped by one rank within the second epoch, the run goes on to the bits of the unbroken one.
  const tests::TemporaryFolder own_broken;
  const auto broken_folder = tests::shared(world, own_broken);
  auto broken = tests::fresh(torch::kFloat64);
  int step = 0;
  const auto stop = [&] { return ++step == 6 && world.rank() == ranks - 1; };
  CHECK(
      !train(broken, training, validation, options, {.folder = broken_folder, .ranks = world, .stop = stop}).complete);
  auto resumed = tests::fresh(torch::kFloat64);
  CHECK(train(resumed, training, validation, options, {.folder = broken_folder, .ranks = world}).complete);
  CHECK(tests::same_weights(together, resumed));
}

TEST_CASE("training on two ranks: what one rank makes, to rounding", "[ranks2]") { same_as_alone(2); }
TEST_CASE("training on two ranks: other optimisers, too", "[ranks2]")
{
  same_as_alone(2, OptimiserKind::sgd);
  same_as_alone(2, OptimiserKind::lbfgs);
}
TEST_CASE("training on three ranks: what one rank makes, to rounding", "[ranks3]") { same_as_alone(3); }

TEST_CASE("training begun on two ranks goes on on one", "[ranks2]")
{
  const Communicator world(MPI_COMM_WORLD);
  const auto training = tests::derivative_data(37, 1), validation = tests::derivative_data(11, 2);
  const tests::TemporaryFolder alone_folder, own;
  const auto folder = tests::shared(world, own);
  auto alone = tests::fresh(torch::kFloat64), begun = tests::fresh(torch::kFloat64),
       ended = tests::fresh(torch::kFloat64);
  train(alone, training, validation, tests::quick(4), {.folder = alone_folder.path()});
  train(begun, training, validation, tests::quick(4), {.folder = folder, .ranks = world, .pause_after = 2});
  if (!world.is_root()) return;
  CHECK(train(ended, training, validation, tests::quick(4), {.folder = folder}).epochs == 4);
  for (const auto& item : ended.model().named_parameters())
    CHECK(tests::relative_distance(item.value(), alone.model().named_parameters()[item.key()]) < 1e-8);
}

static void gradients_are_summed(int ranks)
{
  const Communicator world(MPI_COMM_WORLD);
  REQUIRE(world.size() == ranks);
  const auto all = tests::derivative_data(12, 1);
  const auto loss_of = [&](Surrogate& surrogate, std::int64_t first, std::int64_t count) {
    const Tensor prediction = surrogate.model().forward(all.inputs.narrow(0, first, count).to(torch::kFloat64));
    return (prediction - all.outputs.narrow(0, first, count)).square().sum();
  };
  auto alone = tests::fresh(torch::kFloat64);
  Parameters expected(alone.model());
  GradientSum of_one(expected, {}, /*shared=*/true);
  loss_of(alone, 0, 12).backward();
  of_one.finish();
  const double norm = of_one.norm();

  for (const int direct : {64, 1}) {  // by messages from each to each, and by MPI's own sums
    for (const bool shared : {true, false}) {
      CAPTURE(direct, shared);
      auto together = tests::fresh(torch::kFloat64);
      Parameters parameters(together.model());
      GradientSum sum(parameters, world, shared, direct);
      const auto own = io::share_of(12, world.rank(), ranks);
      const Tensor loss = loss_of(together, own.first, own.count);
      sum.begin();
      loss.backward();
      sum.finish();
      CHECK_THAT(sum.norm(), WithinRel(norm, 1e-12));
      sum.exchange(parameters.gradients);
      CHECK(tests::relative_distance(parameters.gradients, expected.gradients) < 1e-12);
      std::int64_t steps = 0;
      for (const auto& group : parameters.groups()) steps += group.end - group.begin;
      CHECK((shared ? world.sum(steps) : steps) == parameters.values.numel());
    }
  }
}

TEST_CASE("gradients on two ranks: their sum, and every parameter stepped by one of them", "[ranks2]")
{
  gradients_are_summed(2);
}
TEST_CASE("gradients on three ranks: their sum, and every parameter stepped by one of them", "[ranks3]")
{
  gradients_are_summed(3);
}

TEST_CASE("training on more ranks than a batch has samples is refused", "[ranks3]")
{
  const Communicator world(MPI_COMM_WORLD);
  const tests::TemporaryFolder own;
  const auto folder = tests::shared(world, own);
  auto surrogate = tests::fresh();
  auto options = tests::quick(1);
  options.batch = 2;
  const auto data = tests::derivative_data(8, 1);
  CHECK(says(message_of([&] { train(surrogate, data, data, options, {.folder = folder, .ranks = world}); }),
             {"found 3 ranks", "at most 2", "training.batch"}));
}
