#include <locum/io/checkpoint.hpp>
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

static void same_as_alone(int ranks)
{
  const Communicator world(MPI_COMM_WORLD);
  REQUIRE(world.size() == ranks);
  const auto training = tests::derivative_data(37, 1), validation = tests::derivative_data(11, 2);  // uneven everywhere
  auto options = tests::quick(3);
  options.loss.loss = Loss::h1;
  options.rollout.noise = 0.01;
  options.clip = 1;
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
TEST_CASE("training on three ranks: what one rank makes, to rounding", "[ranks3]") { same_as_alone(3); }

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
