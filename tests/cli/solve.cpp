#include <locum/io/datasets/dataset.hpp>

#include "command.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum::tests;
namespace fs = std::filesystem;

/// A ParaView file without its numbers.
static std::string header_of(const fs::path& file)
{
  const auto bytes = bytes_of(file);
  return bytes.substr(0, bytes.find("<AppendedData"));
}

TEST_CASE("solve: the reference, and the surrogate held against it", "[cli]")
{
  const TemporaryFolder folder;
  const std::string tiny = (finished() / "case.toml").string(), run = (finished() / "run").string();

  const auto reference = command({"solve", tiny, "--with", "reference", "--output", "s"}, folder.path());
  CHECK(reference.status == 0);
  CHECK(says(reference.text, {"darcy, PETSc cg + multigrid: ", " ms with set-up, relative residual ", "e-"}));
  CHECK(says(header_of(folder / "s/paraview/solve_0000.vti"), {"\"permeability\"", "\"pressure\"", "\"residual\""}));

  const auto learned =
      command({"solve", tiny, "--with", run, "--compare", "--sample", "3", "--output", "s"}, folder.path());
  CHECK(learned.status == 0);
  CHECK(says(learned.text, {"surrogate ", "best.h5: ", " ms with set-up, relative residual ",
                            "darcy, PETSc cg + multigrid: ", "pressure: relative L2 error 0."}));
  CHECK(says(header_of(folder / "s/paraview/solve_0003.vti"),
             {"\"pressure\"", "\"pressure_reference\"", "\"pressure_error\"", "\"residual\""}));
}

TEST_CASE("solve: of several problems what they have in common", "[cli]")
{
  const TemporaryFolder folder;
  const auto outcome = command({"solve", (finished() / "case.toml").string(), "--with", (finished() / "run").string(),
                                "--samples", "5", "--output", "s"},
                               folder.path());
  CHECK(outcome.status == 0);
  CHECK(
      says(header_of(folder / "s/paraview/ensemble_0000.vti"),
           {"\"permeability_mean\"", "\"pressure_mean\"", "\"pressure_std\"", "\"pressure_q05\"", "\"residual_q95\""}));
}

TEST_CASE("solve: a problem from a file is the random problem it was drawn from", "[cli]")
{
  const TemporaryFolder folder;
  const std::string tiny = (finished() / "case.toml").string();
  const std::string best = (finished() / "run/best.h5").string(), test = (finished() / "run/data/test.h5").string();
  // Sample 3 of the test data is random problem 3.
  const auto drawn =
      command({"solve", tiny, "--with", best, "--compare", "--sample", "3", "--output", "a"}, folder.path());
  const auto read = command(
      {"solve", tiny, "--with", best, "--compare", "--sample", "3", "--input", test, "--output", "b"}, folder.path());
  CHECK(drawn.status == 0);
  CHECK(read.status == 0);
  const auto error_in = [](const std::string& text) { return text.substr(text.find("relative L2 error"), 24); };
  CHECK(error_in(drawn.text) == error_in(read.text));
}

TEST_CASE("solve: two ranks share the reference solve, on another grid", "[cli]")
{
  const TemporaryFolder folder;
  const auto outcome =
      command({"solve", (finished() / "case.toml").string(), "--cells", "24", "32", "--output", "s"}, folder.path(), 2);
  CHECK(outcome.status == 0);
  CHECK(says(outcome.text, {"relative residual "}));
  CHECK(says(header_of(folder / "s/paraview/solve_0000.vti"), {"WholeExtent=\"0 31 0 23"}));
}

TEST_CASE("info: says what is in a dataset and a checkpoint", "[cli]")
{
  const auto dataset = command({"info", "run/data/train.h5"}, finished());
  CHECK(dataset.status == 0);
  CHECK(says(dataset.text,
             {"40 samples", "permeability", "[sample 40, y 16, x 16]", "seed = 7", "darcy, PETSc cg + multigrid"}));
  const auto checkpoint = command({"info", "run/best.h5"}, finished());
  CHECK(checkpoint.status == 0);
  CHECK(says(checkpoint.text, {"parameters", "permeability[0]", "pressure[0]", "width = 8", "after epoch "}));
}

TEST_CASE("list: names models, equations, solvers, and the cases here", "[cli]")
{
  const TemporaryFolder folder;
  fs::create_directories(folder / "cases/tiny");
  write_case(folder / "cases/tiny/case.toml");
  write_text(folder / "cases/tiny/README.md", "# A tiny case\n");
  const auto outcome = command({"list"}, folder.path());
  CHECK(outcome.status == 0);
  CHECK(says(outcome.text, {"fourier", "darcy", "reference", "cases/tiny", "A tiny case"}));
}
