#include <locum/io/datasets/dataset.hpp>

#include <chrono>

#include "command.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum::tests;
namespace fs = std::filesystem;

namespace {

std::int64_t count(const std::string& text, const std::string& word)
{
  std::int64_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("a case that is not the run's: named by option, both values, and nothing is changed", "[cli][error]")
{
  const TemporaryFolder folder;
  copy_finished(folder / "copy");
  const auto before = bytes_of(folder / "copy/run/case.toml");
  const auto refused = [&](const std::string& verb, const std::string& setting) {
    const auto outcome = command({verb, "case.toml", "--output", "run", "--set", setting}, folder / "copy");
    CHECK(outcome.status == 1);
    CHECK(bytes_of(folder / "copy/run/case.toml") == before);
    return outcome.text;
  };
  CHECK(says(refused("train", "model.width=12"),
             {"resuming training: run/checkpoint.h5", "`width = 8`", "`width = 12`", "--output DIR"}));
  CHECK(says(refused("run", "generate.seed=8"), {"resuming training", "`seed = 7`", "`seed = 8`"}));
  CHECK(says(refused("run", "training.batch=5"), {"checkpoint.h5", "`batch = 10`", "`batch = 5`", "--output DIR"}));
  CHECK(says(refused("evaluate", "model.width=12"), {"run/best.h5", "`width = 8`", "`width = 12`", "--output DIR"}));
  CHECK(says(refused("evaluate", "data.outputs=[\"permeability\"]"),
             {"run/best.h5", "`outputs = [\"pressure\"]`", "`outputs = [\"permeability\"]`"}));
  CHECK(says(refused("generate", "generate.seed=8"),
             {"run/data/train.h5, draws", "`seed = 7`", "`seed = 8`", "--output DIR"}));
}

TEST_CASE("a surrogate of other fields is not taken for this equation's", "[cli][error]")
{
  const TemporaryFolder folder;
  const std::string train = (finished() / "run/data/train.h5").string();
  write_case(folder / "case.toml");
  REQUIRE(
      command({"train", "case.toml", "--output", "back", "--set", "training.epochs=1", "--set", "data.train=" + train,
               "--set", "data.inputs=[\"pressure\"]", "--set", "data.outputs=[\"permeability\"]"},
              folder.path())
          .status == 0);
  const auto outcome = command({"solve", "case.toml", "--with", "back", "--output", "s"}, folder.path());
  CHECK(outcome.status == 1);
  CHECK(says(outcome.text, {"back/best.h5", "a surrogate from pressure to permeability",
                            "permeability to pressure, the fields of equation darcy", "`locum info"}));
}

TEST_CASE("more modes than the grid resolves: refused before anything is generated or trained", "[cli][error]")
{
  const TemporaryFolder folder;
  write_case(folder / "case.toml");
  const auto run = command({"run", "case.toml", "--output", "run", "--set", "model.modes=[12, 4]"}, folder.path());
  CHECK(run.status == 1);
  CHECK(says(run.text, {"[model] on generate.cells, axis y", "found 16 points", "at least 24", "fewer modes"}));
  CHECK_FALSE(fs::exists(folder / "run/data/train.h5"));

  const auto train = command({"train", "case.toml", "--output", "run", "--set", "model.modes=[12, 4]", "--set",
                              "data.train=" + (finished() / "run/data/train.h5").string()},
                             folder.path());
  CHECK(train.status == 1);
  CHECK(says(train.text, {"[model] on ", "train.h5, axis y", "at least 24"}));
  CHECK_FALSE(fs::exists(folder / "run/metrics.jsonl"));
}

TEST_CASE("a solve that diverges: left out and named; if all do, an error", "[cli][error]")
{
  const TemporaryFolder folder;
  write_case(folder / "case.toml");
  const auto all = command({"generate", "case.toml", "--output", "run", "--petsc", "-ksp_max_it 1"}, folder.path());
  CHECK(all.status == 1);
  CHECK(says(all.text, {"generating a dataset: run/data/train.h5", "all 40 solves failed", "KSP_DIVERGED_ITS after 1",
                        "[solver.petsc]"}));
  CHECK(fs::is_empty(folder / "run/data"));  // so that better options start afresh, in the same folder

  // Few iterations suffice for some problems only.
  const auto some =
      command({"generate", "case.toml", "--output", "run", "--petsc", "-pc_type jacobi -ksp_max_it 56"}, folder.path());
  CHECK(some.status == 0);
  const auto failed = count(some.text, "could not be solved and is left out: KSP_DIVERGED_ITS after 56 iterations");
  CHECK(failed > 0);
  const auto samples = locum::io::open_dataset(folder / "run/data/train.h5")->size() +
                       locum::io::open_dataset(folder / "run/data/test.h5")->size();
  CHECK(samples == 50 - failed);
}

TEST_CASE("PETSc options it does not know are no divergence", "[cli][error]")
{
  const TemporaryFolder folder;
  write_case(folder / "case.toml");
  const auto unknown = command({"generate", "case.toml", "--output", "run", "--petsc", "-ksp_rtoll 1"}, folder.path());
  CHECK(unknown.status == 1);
  CHECK(says(unknown.text, {"[solver.petsc]", "\"ksp_rtoll\"", "try   ksp_rtol = \"1\""}));
  CHECK(count(unknown.text, "\n") <= 3);
  const auto nonsense =
      command({"generate", "case.toml", "--output", "run", "--petsc", "-pc_type gamgg"}, folder.path());
  CHECK(nonsense.status == 1);
  CHECK(says(nonsense.text, {"gamgg", "[solver.petsc]"}));
  CHECK(count(nonsense.text, "\n") <= 3);
}

TEST_CASE("several ranks: all end with one message, whoever failed", "[cli][error]")
{
  const TemporaryFolder folder;
  write_case(folder / "case.toml");
  SECTION("all ranks for the same reason")
  {
    const auto outcome = command({"run", "case.toml", "--set", "training.epoch=3"}, folder.path(), 2);
    CHECK(outcome.status == 1);
    CHECK(count(outcome.text, "unknown key \"epoch\"") == 1);
  }
  SECTION("a command line that cannot be read")
  {
    const auto outcome = command({"run"}, folder.path(), 2);
    CHECK(outcome.status == 1);
    CHECK(count(outcome.text, "CASE is required") == 1);
  }
  SECTION("a verb for one rank")
  {
    copy_finished(folder / "copy");
    const auto outcome = command({"evaluate", "copy/case.toml", "--output", "copy/run"}, folder.path(), 2);
    CHECK(outcome.status == 1);
    CHECK(count(outcome.text, "found 2 ranks") == 1);
  }
  SECTION("one rank alone")
  {
    fs::create_directories(folder / "run/data/train.h5.parts/000001.h5");  // where rank 1 would write
    const auto start = std::chrono::steady_clock::now();
    const auto outcome = command({"generate", "case.toml", "--output", "run"}, folder.path(), 2);
    CHECK(outcome.status == 1);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::minutes(1));  // not waiting for each other
    CHECK(count(outcome.text, "000001.h5") >= 1);
    CHECK(count(outcome.text, "rank 1 failed") == 1);
    CHECK_FALSE(fs::exists(folder / "run/data/train.h5"));
  }
}
