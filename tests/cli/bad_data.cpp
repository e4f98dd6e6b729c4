#include <hdf5.h>

#include <locum/io/checkpoints/checkpoint.hpp>
#include <locum/io/datasets/dataset.hpp>
#include <locum/io/datasets/dataset_writer.hpp>

#include "command.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum;
using namespace locum::tests;
namespace fs = std::filesystem;

namespace {

/// Trains on `file`, which must be refused before anything is learned; returns the message.
std::string refusal(const fs::path& folder, const std::string& file, const Words& more = {})
{
  write_case(folder / "case.toml");
  Words words = {"train", "case.toml", "--output", "run", "--set", "data.train=" + file};
  words.insert(words.end(), more.begin(), more.end());
  const auto outcome = command(words, folder);
  CHECK(outcome.status == 1);
  CHECK_FALSE(fs::exists(folder / "run/best.h5"));
  CHECK_FALSE(fs::exists(folder / "run/checkpoint.h5"));
  CHECK(std::count(outcome.text.begin(), outcome.text.end(), '\n') <= 3);
  return outcome.text;
}

/// The training data of finished(), changed.
template <class Change>
void write_changed(const fs::path& file, Change&& change)
{
  const auto original = io::open_dataset(finished() / "run/data/train.h5");
  Sample samples = original->read({"permeability", "pressure"}, 0, original->size());
  change(samples);
  io::DatasetHeader header{.name = "changed",
                           .samples = samples.batch(),
                           .grid = samples.grid(),
                           .times = {0},
                           .fields = {},
                           .scalars = {},
                           .provenance = {},
                           .type = torch::kFloat32};
  for (const auto& [name, field] : samples.fields)
    header.fields.push_back({.name = name, .unit = field.unit, .components = 1, .time_varying = false});
  samples.scalars.clear();
  io::DatasetWriter writer(Communicator(), file, header);
  writer.write(0, samples);
  writer.close();
}

/// A file of one array of zeros at its root.
void write_array(const fs::path& file, const char* name, const std::vector<hsize_t>& shape)
{
  const hid_t opened = H5Fcreate(file.c_str(), H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  H5Dclose(H5Dcreate2(opened, name, H5T_NATIVE_FLOAT, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space);
  H5Fclose(opened);
}

}  // namespace

TEST_CASE("bad data: a file that is not there", "[cli][error]")
{
  const TemporaryFolder folder;
  CHECK(says(refusal(folder.path(), "nowhere.h5"), {"reading training samples: nowhere.h5", "no such file",
                                                    "permeability, pressure", "--set data.train=FILE"}));
  CHECK(says(refusal(folder.path(), ""), {"run/data/train.h5", "`locum generate` first"}));
}

TEST_CASE("bad data: a file that is something else", "[cli][error]")
{
  const TemporaryFolder folder;
  write_text(folder / "text.h5", "permeability, pressure\n3, 0.1\n");
  CHECK(says(refusal(folder.path(), "text.h5"), {"text.h5", "expected a complete HDF5 file"}));
  write_text(folder / "classic.nc", std::string("CDF\x01").append(100, '\0'));
  CHECK(says(refusal(folder.path(), "classic.nc"), {"classic.nc", "expected a complete HDF5 file"}));
  CHECK(says(refusal(folder.path(), (finished() / "run/figures/loss.png").string()),
             {"loss.png", "expected a complete HDF5 file"}));
  fs::create_directory(folder / "folder.h5");
  CHECK(says(refusal(folder.path(), "folder.h5"), {"folder.h5", "Is a directory", "an HDF5 file"}));

  const auto whole = bytes_of(finished() / "run/data/train.h5");
  write_text(folder / "cut.h5", whole.substr(0, whole.size() / 2));
  CHECK(says(refusal(folder.path(), "cut.h5"),
             {"cut.h5", "truncated", "expected a complete HDF5 file", "making the file again"}));
}

TEST_CASE("bad data: a field that is not there, or has other axes", "[cli][error]")
{
  const TemporaryFolder folder;
  write_changed(folder / "named.h5", [](Sample& samples) {
    samples.fields["presure"] = samples.fields.at("pressure");
    samples.fields.erase("pressure");
  });
  CHECK(says(refusal(folder.path(), "named.h5"),
             {"named.h5", "no field \"pressure\"", "one of permeability, presure", "\"presure\"", "`locum info"}));

  write_array(folder / "axes.h5", "a", {4, 2, 2, 8, 8});
  CHECK(says(refusal(folder.path(), "axes.h5"), {"axes.h5", "[sample, (z, y,) x]"}));

  write_array(folder / "line.h5", "u", {20, 16});
  CHECK(says(refusal(folder.path(), "line.h5", {"--set", "data.inputs=[\"u\"]", "--set", "data.outputs=[\"u\"]"}),
             {"line.h5", "[1, 1, 16]", "modes with 1 entry"}));
}

TEST_CASE("bad data: NaN and infinity are found where they are", "[cli][error]")
{
  const TemporaryFolder folder;
  write_changed(folder / "nan.h5",
                [](Sample& samples) { samples.fields.at("permeability").values[17][0][3][5] = NAN; });
  CHECK(says(refusal(folder.path(), "nan.h5"), {"nan.h5, field permeability", "nan at sample 17", "position [3, 5]",
                                                "finite values", "repair or remove the sample"}));
  write_changed(folder / "inf.h5",
                [](Sample& samples) { samples.fields.at("pressure").values[17][0][0][1] = INFINITY; });
  CHECK(says(refusal(folder.path(), "inf.h5"), {"inf.h5, field pressure", "inf at sample 17", "position [0, 1]"}));
}

TEST_CASE("bad checkpoint: damaged, cut short, or missing", "[cli][error]")
{
  const TemporaryFolder folder;
  copy_finished(folder / "copy");
  const fs::path run = folder / "copy/run";
  const auto whole = bytes_of(run / "best.h5");
  auto flipped = whole;
  flipped[flipped.size() / 2] ^= 1;
  const auto refused = [&](const Words& words) {
    const auto outcome = command(words, folder / "copy");
    CHECK(outcome.status == 1);
    CHECK(std::count(outcome.text.begin(), outcome.text.end(), '\n') <= 3);
    return outcome.text;
  };

  write_text(run / "best.h5", flipped);
  CHECK(says(refused({"evaluate", "case.toml", "--output", "run"}),
             {"run/best.h5", "found content hash", "as its footer says", "this one was damaged"}));
  CHECK(says(refused({"info", "run/best.h5"}), {"run/best.h5", "content hash", "damaged"}));

  write_text(run / "best.h5", whole.substr(0, whole.size() / 2));
  CHECK(says(refused({"solve", "case.toml", "--with", "run", "--output", "s"}), {"run/best.h5", "cut short"}));

  fs::remove(run / "best.h5");
  CHECK(says(refused({"evaluate", "case.toml", "--output", "run"}),
             {"run/best.h5", "no such file", "`locum train` first"}));
  CHECK(says(refused({"evaluate", "case.toml", "--output", "rnu"}), {"rnu/best.h5", "--output DIR"}));
  CHECK_FALSE(fs::exists(folder / "copy/rnu"));
}
