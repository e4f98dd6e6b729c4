// Data of other people: from `locum info` to a trained surrogate.
#include <fstream>
#include <locum/io/datasets/dataset.hpp>
#include <locum/io/hdf5/hdf5.hpp>
#include <locum/operators/surrogate.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/hdf5_files.hpp"

using namespace locum;
using namespace locum::tests;
namespace fs = std::filesystem;

namespace {

const Words small = {"--set", "model.width=8",     "--set", "model.layers=2",
                     "--set", "training.epochs=2", "--set", "training.batch=4"};

/// What `locum info --write-case` and `locum run` say of a file.
Outcome train_on(const fs::path& folder, const std::string& file, const Words& more = {})
{
  const auto looked = command({"info", file, "--write-case", "mine.toml"}, folder);
  CHECK(looked.status == 0);
  Words words = {"run", "mine.toml", "--output", "run"};
  words.insert(words.end(), small.begin(), small.end());
  words.insert(words.end(), more.begin(), more.end());
  auto outcome = command(words, folder);
  outcome.text = looked.text + outcome.text;
  return outcome;
}

/// Waves that travel, [sample, step, x], in PDEBench's layout.
void write_waves(const fs::path& path, std::int64_t samples)
{
  const auto file = make_file(path);
  const Tensor x = torch::arange(32, torch::kFloat32) / 32, t = torch::arange(9, torch::kFloat32) / 8;
  const Tensor phase = torch::arange(samples, torch::kFloat32).view({-1, 1, 1}) / 7;
  const Tensor u = torch::sin(2 * M_PI * (x.view({1, 1, -1}) - t.narrow(0, 0, 8).view({1, -1, 1}) / 4 + phase));
  io::hdf5::write(file.get(), "tensor", u, writing);
  io::hdf5::write(file.get(), "x-coordinate", x, writing);
  io::hdf5::write(file.get(), "t-coordinate", t, writing);
  io::hdf5::write_attribute(file.get(), "beta", 0.25, writing);
}

}  // namespace

TEST_CASE("foreign data: the case that info writes trains, in windows of time", "[cli]")
{
  const TemporaryFolder folder;
  write_waves(folder / "waves.h5", 20);
  const auto outcome = train_on(folder.path(), "waves.h5");
  CAPTURE(outcome.text);
  CHECK(outcome.status == 0);
  CHECK(says(outcome.text, {"PDEBench, 20 samples, 8 steps", "tensor", "[sample 20, step 8, x 32]", "beta",
                            "on 112 samples of 1 channels on [32]", "14 held out", "on 14 test samples"}));
  const auto surrogate = operators::Surrogate::load(folder / "run/best.h5");
  CHECK(surrogate.outputs() == std::vector<Channel>{{.field = "tensor@+1", .component = 0, .unit = "1"}});

  Words words = {"evaluate", "mine.toml", "--output", "run", "--set", "evaluate.netcdf=true"};
  words.insert(words.end(), small.begin(), small.end());
  CHECK(command(words, folder.path()).status == 0);
  const auto predictions = io::open_dataset(folder / "run/predictions.nc");
  CHECK(predictions->size() == 2);   // trajectories to test with
  CHECK(predictions->steps() == 7);  // windows
  CHECK(predictions->time(0, 6) == 6.0 / 8);
  const auto rows = predictions->read({"tensor_plus_1", "tensor_plus_1_predicted"}, 0, 2, 6);
  const auto truth = io::open_dataset(folder / "waves.h5")->read({"tensor"}, 18, 2, 7);
  CHECK(torch::equal(rows.field("tensor_plus_1").values, truth.field("tensor").values));
}

TEST_CASE("foreign data: streamed where it does not fit", "[cli]")
{
  const TemporaryFolder folder;
  write_waves(folder / "waves.h5", 40);
  const auto outcome = train_on(folder.path(), "waves.h5", {"--set", "data.memory=2e-5"});
  CAPTURE(outcome.text);
  CHECK(outcome.status == 0);
  CHECK(says(outcome.text, {", streamed", "statistics of the training samples", "epoch    2/2"}));
  CHECK(fs::exists(folder / "run/statistics.h5"));

  // test samples piece by piece give what they give together
  const auto error = [&] {
    return nlohmann::json::parse(std::ifstream(folder / "run/summary.json"))["relative_l2"].get<double>();
  };
  const double in_pieces = error();
  Words words = {"evaluate", "mine.toml", "--output", "run"};
  words.insert(words.end(), small.begin(), small.end());
  CHECK(command(words, folder.path()).status == 0);
  CHECK_THAT(in_pieces, WithinRel(error(), 1e-6));  // rounding of float32: other sizes of batches
}

TEST_CASE("foreign data: one trajectory is split in time, land is left out", "[cli]")
{
  const TemporaryFolder folder;
  {
    const auto file = make_file(folder / "sea.h5");
    Tensor sea = torch::rand({1, 30, 8, 12}, torch::kFloat32) + 280;
    sea.narrow(3, 0, 4).fill_(NAN);
    io::hdf5::write(file.get(), "temperature", sea, writing);
  }
  write_text(
      folder / "case.toml",
      "[data]\ntrain = \"sea.h5\"\ninputs = [\"temperature\"]\noutputs = [\"temperature\"]\nhorizon = 1\n"
      "mask = \"missing\"\n[data.fields.temperature]\naxes = [\"sample\", \"time\", \"y\", \"x\"]\nunit = \"K\"\n"
      "[model]\nname = \"fourier\"\nmodes = [2, 2]\n");
  Words words = {"run", "case.toml", "--output", "run"};
  words.insert(words.end(), small.begin(), small.end());
  const auto outcome = command(words, folder.path());
  CAPTURE(outcome.text);
  CHECK(outcome.status == 0);
  CHECK(says(outcome.text, {"on 21 samples", "3 held out", "on 3 test samples"}));  // 29 windows, two gaps of one
  const auto refused = command({"train", "case.toml", "--output", "other", "--set", "data.mask=error"}, folder.path());
  CHECK(refused.status == 1);
  CHECK(says(refused.text,
             {"reading training samples: sea.h5", "nan at sample 0", "finite values (K)", "data.mask = \"missing\""}));
}

TEST_CASE("foreign data: info looks at all values if asked", "[cli]")
{
  const TemporaryFolder folder;
  {
    const auto file = make_file(folder / "a.h5");
    Tensor u = torch::ones({100, 8});
    u[57][3] = NAN;
    u[58][3] = 7;
    io::hdf5::write(file.get(), "u", u, writing);
  }
  CHECK(says(command({"info", "a.h5"}, folder.path()).text, {"u", "[sample 100, x 8] in 1, 1 to 1", "--full"}));
  CHECK(says(command({"info", "a.h5", "--full"}, folder.path()).text, {"1 to 7, 1 of 800 not finite"}));
}
