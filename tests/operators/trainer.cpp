#include <locum/io/batches/streamed_batches.hpp>
#include <locum/io/checkpoints/checkpoint.hpp>
#include <locum/io/datasets/dataset_writer.hpp>
#include <locum/operators/training/state.hpp>
#include <locum/operators/training/trainer.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"
#include "support/temporary_folder.hpp"
#include "waves.hpp"

using namespace locum;
using namespace locum::operators;
using tests::derivative_data;
using tests::fresh;
using tests::message_of;
using tests::quick;
using tests::same_weights;
using tests::says;

TEST_CASE("training: learns a linear operator far better than the mean", "[operators]")
{
  const tests::TemporaryFolder folder;
  auto surrogate = fresh();
  auto options = quick(20);
  options.schedule.cosine_epochs = 0;
  train(surrogate, derivative_data(100, 1), derivative_data(20, 2), options, {.folder = folder.path()});

  const auto test = derivative_data(20, 3);
  Sample problem{.domain = Grid::cell_centres({32}, {1}), .fields = {}, .scalars = {}, .time = 0};
  problem.fields["u"] = {.values = test.inputs, .unit = "m s-1"};
  const Sample prediction = surrogate.solve(problem);
  CHECK(prediction.field("v").unit == "Pa");
  CHECK(loss_of(Loss::relative_l2, prediction.field("v").values, test.outputs).item<double>() < 0.1);
}

TEST_CASE("training: in bfloat16 it learns, too, and leaves weights in float32", "[operators]")
{
  const bool recompute = GENERATE(false, true);
  const auto validation_error = [&](Precision precision) {
    Surrogate surrogate("name = \"fourier\"\nmodes = [4]\nwidth = 8\nlayers = 2\nkernel = \"reference\"\n",
                        {{.field = "u", .component = 0, .unit = ""}}, {{.field = "v", .component = 0, .unit = ""}},
                        RandomStream(3, "weights"));
    auto options = quick(10);
    options.precision = precision;
    options.recompute = recompute;
    const tests::TemporaryFolder folder;
    const auto result =
        train(surrogate, derivative_data(100, 1), derivative_data(20, 2), options, {.folder = folder.path()});
    for (const torch::Tensor& parameter : surrogate.model().parameters())
      CHECK(parameter.scalar_type() == torch::kFloat32);
    return result.best_validation;
  };
  const double single = validation_error(Precision::float32), mixed = validation_error(Precision::bfloat16);
  CHECK(mixed != single);
  CHECK(mixed < 1.5 * single);
}

TEST_CASE("training: k epochs, a restart and the rest are the bits of an unbroken run", "[operators][restart]")
{
  const auto training = derivative_data(35, 1), validation = derivative_data(10, 2);  // a last batch of 5
  const tests::TemporaryFolder unbroken_folder;
  auto unbroken = fresh();
  train(unbroken, training, validation, quick(4), {.folder = unbroken_folder.path()});
  const auto whole = io::Checkpoint::read(unbroken_folder / "checkpoint.h5");

  for (const std::int64_t stop : {1, 2, 3}) {
    const tests::TemporaryFolder folder;
    auto first = fresh();
    train(first, training, validation, quick(stop), {.folder = folder.path()});
    auto second = fresh(torch::kFloat32, 99);
    train(second, training, validation, quick(4), {.folder = folder.path()});
    CAPTURE(stop);
    CHECK(same_weights(unbroken, second));
    const auto resumed = io::Checkpoint::read(folder / "checkpoint.h5");
    for (const auto& name : whole.names("training/optimiser/first_moment"))
      CHECK(torch::equal(whole.tensor("training/optimiser/first_moment/" + name),
                         resumed.tensor("training/optimiser/first_moment/" + name)));
  }
}

TEST_CASE("training: stopped anywhere, it goes on to the bits of an unbroken run, whatever is trained how",
          "[operators][restart]")
{
  const auto training = derivative_data(35, 1), validation = derivative_data(10, 2);
  auto options = quick(3);
  options.optimiser.optimiser = GENERATE(OptimiserKind::adam, OptimiserKind::sgd, OptimiserKind::lbfgs);
  options.schedule.rate = options.optimiser.optimiser == OptimiserKind::lbfgs ? 1 : 1e-3;
  options.schedule.schedule = Schedule::plateau;
  options.schedule.step_epochs = 1;
  options.average = 0.5;
  options.rollout.noise = 0.01;
  options.accumulate = 3;
  options.clip = 10;
  options.checkpoint_steps = 2;
  const tests::TemporaryFolder unbroken_folder;
  auto unbroken = fresh();
  train(unbroken, training, validation, options, {.folder = unbroken_folder.path()});

  const tests::TemporaryFolder folder;
  int starts = 0;
  for (bool complete = false; !complete; ++starts) {
    auto surrogate = fresh(torch::kFloat32, starts == 0 ? 3 : 99);
    int steps = 0;
    complete =
        train(surrogate, training, validation, options, {.folder = folder.path(), .stop = [&] { return ++steps == 3; }})
            .complete;
    if (complete) CHECK(same_weights(unbroken, surrogate));
  }
  CHECK(starts == 5);  // twelve steps, three a start; the last finds nothing to do
  const auto whole = io::Checkpoint::read(unbroken_folder / "checkpoint.h5"),
             resumed = io::Checkpoint::read(folder / "checkpoint.h5");
  for (const auto& name : whole.names("training/average"))
    CHECK(torch::equal(whole.tensor("training/average/" + name), resumed.tensor("training/average/" + name)));
}

TEST_CASE("training: a batch in parts is the same step", "[operators][property]")
{
  const auto training = derivative_data(35, 1), validation = derivative_data(10, 2);
  auto options = quick(2);
  const tests::TemporaryFolder folder, other_folder;
  auto whole = fresh(torch::kFloat64), in_parts = fresh(torch::kFloat64);
  train(whole, training, validation, options, {.folder = folder.path()});
  options.accumulate = 4;
  train(in_parts, training, validation, options, {.folder = other_folder.path()});
  for (const auto& item : whole.model().named_parameters())
    CHECK(tests::relative_distance(in_parts.model().named_parameters()[item.key()], item.value()) < 1e-9);
}

TEST_CASE("training: ends when validation no longer gets better", "[operators]")
{
  const tests::TemporaryFolder folder;
  auto surrogate = fresh();
  auto options = quick(50);
  options.schedule.rate = 1e-12;  // nothing changes
  options.patience = 3;
  const auto data = derivative_data(20, 1);
  const auto result = train(surrogate, data, data, options, {.folder = folder.path()});
  CHECK(result.epochs < 20);
  CHECK(train(surrogate, data, data, options, {.folder = folder.path()}).epochs == result.epochs);
}

TEST_CASE("training: L-BFGS on all samples gets far with few steps", "[operators]")
{
  const tests::TemporaryFolder folder;
  auto surrogate = fresh(torch::kFloat64);
  auto options = quick(60);
  options.optimiser.optimiser = OptimiserKind::lbfgs;
  options.schedule = {.rate = 1, .schedule = Schedule::constant};
  options.batch = 40;
  const auto result =
      train(surrogate, derivative_data(40, 1), derivative_data(20, 2), options, {.folder = folder.path()});
  CHECK(result.best_validation < 0.05);
}

TEST_CASE("training: what a resumed run may change is said, the rest refused", "[operators][error]")
{
  const auto compare = [](const std::string& then, const std::string& now) {
    return refuse_other_training("checkpoint.h5", then, now);
  };
  const std::string then = "width = 8\nepochs = 5\nbatch = 10\n";
  CHECK(compare(then, then).empty());
  CHECK(says(compare(then, "width = 8\nepochs = 9\nbatch = 10\n"), {"`epochs = 9` instead of `epochs = 5`"}));
  CHECK(compare(then, "width = 8\nepochs = 5\nbatch = 10\nclip = 0.0\n").empty());  // younger than the file
  CHECK(says(message_of([&] { compare(then, "width = 8\nepochs = 5\nbatch = 10\nclip = 1.0\n"); }), {"clip = 1.0"}));
  CHECK(says(message_of([&] { compare(then, "width = 8\nepochs = 9\nbatch = 20\n"); }),
             {"`batch = 10`", "`batch = 20`"}));
}

TEST_CASE("training: a checkpoint rebuilds the surrogate, on another grid too", "[operators][property]")
{
  const tests::TemporaryFolder folder;
  auto trained = fresh();
  train(trained, derivative_data(30, 1), derivative_data(10, 2), quick(2), {.folder = folder.path()});
  auto loaded = Surrogate::load(folder / "best.h5");
  CHECK(loaded.inputs() == trained.inputs());
  CHECK(loaded.outputs() == trained.outputs());
  for (const std::int64_t points : {32, 47}) {
    Sample problem{.domain = Grid::cell_centres({points}, {1}), .fields = {}, .scalars = {}, .time = 0};
    problem.fields["u"] = {.values = RandomStream(5, "u").normal({2, 1, points}), .unit = "m s-1"};
    CHECK(torch::equal(trained.solve(problem).field("v").values, loaded.solve(problem).field("v").values));
  }
}

TEST_CASE("training: bad input is named", "[operators][error]")
{
  const tests::TemporaryFolder folder;
  const auto training = derivative_data(30, 1), validation = derivative_data(10, 2);
  auto surrogate = fresh();
  SECTION("resuming with other settings")
  {
    train(surrogate, training, validation, quick(1),
          {.folder = folder.path(), .settings = "rate = 0.01\nbatch = 10\n"});
    const auto message = message_of([&] {
      train(surrogate, training, validation, quick(2),
            {.folder = folder.path(), .settings = "rate = 0.01\nbatch = 20\n"});
    });
    CHECK(says(message, {"resuming training", "checkpoint.h5", "`batch = 10`", "`batch = 20`", "--output DIR"}));
  }
  SECTION("a loss that is no longer finite")
  {
    auto options = quick(3);
    options.schedule.rate = 1e30;
    CHECK(says(message_of([&] { train(surrogate, training, validation, options, {.folder = folder.path()}); }),
               {"training: epoch", "expected a finite number", "training.rate"}));
  }
  SECTION("a problem in another unit")
  {
    Sample problem{.domain = Grid::cell_centres({32}, {1}), .fields = {}, .scalars = {}, .time = 0};
    problem.fields["u"] = {.values = torch::zeros({1, 1, 32}), .unit = "km h-1"};
    CHECK(says(message_of([&] { surrogate.solve(problem); }), {"u[0] in km h-1", "u[0] in m s-1"}));
  }
  SECTION("a grid too coarse for the modes")
  {
    Sample problem{.domain = Grid::cell_centres({5}, {1}), .fields = {}, .scalars = {}, .time = 0};
    problem.fields["u"] = {.values = torch::zeros({1, 1, 5}), .unit = "m s-1"};
    CHECK(says(message_of([&] { surrogate.solve(problem); }), {"5 points", "fewer modes"}));
  }
}

TEST_CASE("training: streamed from a file, k epochs, a restart and the rest are the bits of an unbroken run",
          "[operators][restart]")
{
  const tests::TemporaryFolder folder;
  const auto data = derivative_data(64, 1);
  {
    io::DatasetHeader header{.name = "derivative",
                             .samples = 64,
                             .grid = Grid::cell_centres({32}, {1}),
                             .fields = {{.name = "u", .unit = "m s-1"}, {.name = "v", .unit = "Pa"}},
                             .scalars = {},
                             .provenance = {},
                             .type = torch::kFloat32};
    Sample sample{.domain = header.grid, .fields = {}, .scalars = {}, .time = 0};
    sample.fields["u"] = {.values = data.inputs, .unit = "m s-1"};
    sample.fields["v"] = {.values = data.outputs, .unit = "Pa"};
    io::DatasetWriter writer(Communicator(), folder / "data.h5", header);
    writer.write(0, sample);
    writer.close();
  }
  const auto run = [&](std::int64_t epochs, const std::filesystem::path& to) {
    const auto dataset = io::open_dataset(folder / "data.h5");
    const io::Windows windows(*dataset, {"u"}, {"v"});
    io::Windows::Range range = windows.all(), held_out = range;
    range.trajectories = 56;
    held_out.first_trajectory = 56;
    held_out.trajectories = 8;
    io::StreamedBatches training(windows, range, 8000, false, "reading"),
        validation(windows, held_out, 8000, false, "");
    REQUIRE(training.blocks().size() > 10);
    auto surrogate = fresh();
    train(surrogate, training, validation, quick(epochs), {.folder = to});
    return surrogate;
  };
  const tests::TemporaryFolder unbroken_folder, broken_folder;
  auto unbroken = run(3, unbroken_folder.path());
  run(1, broken_folder.path());
  auto resumed = run(3, broken_folder.path());
  CHECK(same_weights(unbroken, resumed));
  // Statistics in pieces are those of the whole, and are kept.
  const auto kept = io::Checkpoint::read(unbroken_folder / "statistics.h5");
  const auto whole =
      Normaliser::fit(Normalisation::unit_gaussian, NormaliseOver::channel, data.inputs.narrow(0, 0, 56)).state();
  CHECK(torch::allclose(kept.tensor("inputs/offset"), whole.at("offset"), 1e-6, 1e-9));
  CHECK(torch::allclose(kept.tensor("inputs/scale"), whole.at("scale"), 1e-9, 0));
}

TEST_CASE("training: points without a value are left out", "[operators]")
{
  // Half the points are land. The surrogate learns the other half as if land were not there, and predicts none there.
  const tests::TemporaryFolder folder;
  auto data = derivative_data(60, 1);
  const auto land = [](const Tensor& values) {
    return values.clone().index_fill_(2, torch::arange(20, 32), std::numeric_limits<float>::quiet_NaN());
  };
  auto surrogate = fresh();
  surrogate.missing = true;
  auto options = quick(20);
  options.schedule.cosine_epochs = 0;
  const io::Batch training{.inputs = land(data.inputs), .outputs = land(data.outputs)};
  const auto result = train(surrogate, training, training, options, {.folder = folder.path()});
  CHECK(result.best_validation < 0.5);

  auto loaded = Surrogate::load(folder / "best.h5");
  CHECK(loaded.missing);
  Sample problem{.domain = Grid::cell_centres({32}, {1}), .fields = {}, .scalars = {}, .time = 0};
  problem.fields["u"] = {.values = training.inputs.narrow(0, 0, 4), .unit = "m s-1"};
  const Tensor predicted = loaded.solve(problem).field("v").values;
  CHECK(torch::equal(predicted.isfinite(), training.inputs.narrow(0, 0, 4).isfinite()));
}
