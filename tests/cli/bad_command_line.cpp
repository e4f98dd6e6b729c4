#include <algorithm>

#include "command.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum::tests;
namespace fs = std::filesystem;

namespace {

/// Runs a command that must fail for its user's mistake: with exit code 1, one message, and no trace in the folder.
std::string refusal(const Words& words, const fs::path& folder)
{
  const auto files = [&] { return std::distance(fs::recursive_directory_iterator(folder), {}); };
  const auto before = files();
  const auto outcome = command(words, folder);
  CHECK(outcome.status == 1);
  CHECK(files() == before);
  CHECK(std::count(outcome.text.begin(), outcome.text.end(), '\n') <= 3);
  return outcome.text;
}

}  // namespace

TEST_CASE("bad command line: the nearest word, or the help to ask for", "[cli][error]")
{
  const TemporaryFolder folder;
  write_case(folder / "case.toml");
  CHECK(says(refusal({}, folder.path()), {"reading the command line", "one of generate, train", "`locum --help`"}));
  CHECK(says(refusal({"run"}, folder.path()), {"reading the command line", "CASE is required", "`locum run --help`"}));
  CHECK(says(refusal({"trian", "case.toml"}, folder.path()), {"trian", "try   train"}));
  CHECK(says(refusal({"run", "case.toml", "--outptu", "x"}, folder.path()), {"--outptu", "try   --output"}));
  CHECK(says(refusal({"run", "case.toml", "--threads", "0"}, folder.path()), {"--threads", "`locum run --help`"}));
}

TEST_CASE("bad case: file, line, key, what is accepted, the nearest", "[cli][error]")
{
  const TemporaryFolder folder;
  write_case(folder / "case.toml");
  SECTION("no such case")
  {
    CHECK(says(refusal({"run", "nowhere"}, folder.path()),
               {"reading the case: nowhere", "No such file", "`locum list`"}));
  }
  SECTION("unknown keys")
  {
    write_case(folder / "key.toml", "epoch = 3\n");
    CHECK(says(refusal({"run", "key.toml"}, folder.path()),
               {"key.toml line 15, [training]", "unknown key \"epoch\"", "one of epochs, batch", "try   epochs = 3"}));
    CHECK(says(refusal({"run", "case.toml", "--set", "training.epoch=3"}, folder.path()),
               {"--set, [training]", "unknown key \"epoch\"", "try   epochs = 3"}));
    CHECK(says(refusal({"run", "case.toml", "--set", "trainig.epochs=3"}, folder.path()),
               {"unknown section [trainig]", "try   [training]"}));
  }
  SECTION("bad values")
  {
    write_case(folder / "value.toml", "rate = -1.0\n");
    CHECK(says(refusal({"run", "value.toml"}, folder.path()),
               {"value.toml line 15, training.rate", "found -1", "expected above 0", "rate = "}));
    CHECK(says(refusal({"run", "case.toml", "--set", "training.epochs=many"}, folder.path()),
               {"--set, training.epochs", "\"many\"", "a whole number"}));
    CHECK(says(refusal({"run", "case.toml", "--set", "training.optimiser=adma"}, folder.path()),
               {"--set, training.optimiser", "\"adma\"", "\"adam\", \"adamw\"", "optimiser = \"adam\""}));
    CHECK(says(refusal({"run", "case.toml", "--set", "model.name=furier"}, folder.path()),
               {"model.name", "\"furier\"", "one of fourier", "name = \"fourier\""}));
    CHECK(says(refusal({"run", "case.toml", "--set", "equation.name=darci"}, folder.path()),
               {"[equation]", "found \"darci\"", "one of advection_diffusion", "try   \"darcy\""}));
    CHECK(says(refusal({"run", "case.toml", "--set", "generate.cells=[16]"}, folder.path()),
               {"cells", "[16]", "two or three numbers"}));
  }
  SECTION("--set and --petsc that cannot be read")
  {
    CHECK(says(refusal({"run", "case.toml", "--set", "training.epochs"}, folder.path()),
               {"--set", "\"training.epochs\"", "expected key=value", "--set training.epochs=…"}));
    CHECK(says(refusal({"run", "case.toml", "--petsc", "ksp_rtol 1"}, folder.path()),
               {"--petsc", "\"ksp_rtol\"", "starts with a dash", "-ksp_rtol"}));
  }
  SECTION("a folder that cannot be made")
  {
    CHECK(says(refusal({"run", "case.toml", "--output", "case.toml/run"}, folder.path()),
               {"making the run folder: case.toml/run", "Not a directory", "--output DIR"}));
  }
}

TEST_CASE("bad solve: what --with may be", "[cli][error]")
{
  const TemporaryFolder folder;
  write_case(folder / "case.toml");
  const auto with = [&](const std::string& solver) {
    const auto outcome = command({"solve", "case.toml", "--with", solver, "--output", "s"}, folder.path());
    CHECK(outcome.status == 1);
    CHECK_FALSE(fs::exists(folder / "s/paraview/solve_0000.vti"));
    return outcome.text;
  };
  CHECK(says(with("referense"), {"--with referense", "no file", "reference, a checkpoint", "--with reference"}));
  fs::create_directory(folder / "empty");
  CHECK(says(with("empty"), {"--with empty", "no file empty/best.h5", "`locum train` first"}));
  CHECK(says(with("case.toml"), {"case.toml", "not a locum checkpoint"}));
}
