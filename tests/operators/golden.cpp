#include <locum/io/checkpoints/checkpoint.hpp>
#include <locum/operators/training/trainer.hpp>

#include <filesystem>

#include "support/catch.hpp"
#include "support/numbers.hpp"
#include "support/temporary_folder.hpp"

// Checkpoints of every format version there was, tests/data/checkpoint_vN.h5: they load for ever. A change that breaks
// one needs code that reads the old one, not another file. A new version adds its own:
//     test_operators "[.make_golden]" writes golden.h5

using namespace locum;
using namespace locum::operators;

namespace {

/// A wave and its derivative on 16 points; both of float64, so that a prediction has no other rounding elsewhere.
io::Batch waves(std::int64_t samples)
{
  const Tensor x = torch::arange(16, torch::kFloat64) * (2 * M_PI / 16);
  const Tensor phase = torch::arange(samples, torch::kFloat64).unsqueeze(1);
  return {.inputs = (x + phase).sin().unsqueeze(1), .outputs = (x + phase).cos().unsqueeze(1)};
}

TrainingOptions epochs(std::int64_t count)
{
  TrainingOptions options;
  options.epochs = count;
  options.batch = 4;
  options.device = Device::cpu;
  return options;
}

Sample problem(const Tensor& values)
{
  Sample sample{.domain = Grid::cell_centres({16}, {1}), .fields = {}, .scalars = {}, .time = 0};
  sample.fields["u"] = {.values = values, .unit = "m s-1"};
  return sample;
}

}  // namespace

TEST_CASE("golden checkpoints: load, predict and go on training as they did", "[operators][restart]")
{
  const std::filesystem::path file = LOCUM_TEST_DATA "/checkpoint_v1.h5";
  const auto checkpoint = io::Checkpoint::read(file);
  auto surrogate = Surrogate::load(checkpoint, file.string());
  CHECK(surrogate.inputs() == std::vector<Channel>{{.field = "u", .component = 0, .unit = "m s-1"}});
  CHECK(surrogate.outputs() == std::vector<Channel>{{.field = "v", .component = 0, .unit = "Pa"}});
  const auto prediction = surrogate.solve(problem(checkpoint.tensor("golden/input"))).field("v");
  CHECK(prediction.unit == "Pa");
  CHECK(tests::relative_distance(prediction.values, checkpoint.tensor("golden/prediction")) < 1e-12);

  const tests::TemporaryFolder folder;
  std::filesystem::copy_file(file, folder / "checkpoint.h5");
  std::filesystem::copy_file(file, folder / "best.h5");
  CHECK(checkpoint.integer("training/epoch") == 2);
  const auto result = train(surrogate, waves(8), waves(4), epochs(3), {.folder = folder.path()});
  CHECK(result.epochs == 3);
  CHECK(io::Checkpoint::read(folder / "checkpoint.h5").integer("training/optimiser/steps") == 6);  // two an epoch
}

TEST_CASE("golden checkpoint: make one of today's version", "[.make_golden]")
{
  const tests::TemporaryFolder folder;
  Surrogate surrogate("name = \"fourier\"\nmodes = [2]\nwidth = 4\nlayers = 2\nprojection_hidden = 4\n",
                      {{.field = "u", .component = 0, .unit = "m s-1"}}, {{.field = "v", .component = 0, .unit = "Pa"}},
                      RandomStream(3, "weights"), torch::kFloat64);
  train(surrogate, waves(8), waves(4), epochs(2), {.folder = folder.path()});
  auto checkpoint = io::Checkpoint::read(folder / "checkpoint.h5");
  const Tensor input = waves(2).inputs;
  checkpoint.put("golden/input", input);
  checkpoint.put("golden/prediction", Surrogate::load(checkpoint, "golden").solve(problem(input)).field("v").values);
  checkpoint.write("golden.h5");
}
