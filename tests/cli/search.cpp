// Many runs of one case: searches, ensembles, folds, comparisons.
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <tuple>

#include "command.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum::tests;
namespace fs = std::filesystem;

namespace {

/// A folder with data and a case that trains on them, with `more`.
void prepare(const TemporaryFolder& folder, const std::string& more)
{
  copy_finished(folder / "copy");
  fs::rename(folder / "copy/run/data", folder / "data");
  write_case(folder / "case.toml", more + "[data]\ntrain = \"data/train.h5\"\ntest = \"data/test.h5\"\n");
}

nlohmann::json json_of(const fs::path& file) { return nlohmann::json::parse(std::ifstream(file)); }

/// A table's lines in a log, without what changes from run to run.
std::string table_in(const std::string& text)
{
  const auto begin = text.find("trial  ");
  return text.substr(begin, text.find("the best") - begin);
}

const std::string search =
    "[tune]\ntrials = 5\nfirst_epochs = 1\nkeep = 2\nseed = 3\n[tune.log]\ntraining.rate = [1e-4, 1e-1]\n"
    "[tune.choices]\nmodel.width = [4, 8]\n[tune.integer]\nmodel.layers = [1, 3]\n";

}  // namespace

TEST_CASE("tune: halves the trials, rung by rung; stopped on two ranks or killed, it goes on to the same table",
          "[cli][restart]")
{
  const TemporaryFolder folder;
  prepare(folder, search);
  const Words words = {"tune", "case.toml", "--set", "training.epochs=4", "--threads", "1", "--output"};
  const auto into = [&](const std::string& run) {
    auto all = words;
    all.push_back(run);
    return all;
  };
  const auto outcome = command(into("one"), folder.path());
  REQUIRE(outcome.status == 0);
  CHECK(says(outcome.text, {"5 trials to epoch 1 of 4", "3 trials to epoch 2 of 4", "2 trials to epoch 4 of 4",
                            "training.rate", "model.width", "the best: `locum evaluate one/tune/"}));
  for (const char* picture : {"tune_training_rate", "tune_model_width", "tune_model_layers"})
    CHECK(bytes_of(folder / "one/figures" / (std::string(picture) + ".png")).starts_with("\x89PNG"));
  const auto found = json_of(folder / "one/tune.json");
  REQUIRE(found["trials"].size() == 5);
  std::map<std::int64_t, int> trials;
  double least = 1e300;
  for (const auto& trial : found["trials"]) {
    ++trials[trial["epochs"].get<std::int64_t>()];
    if (trial["epochs"] == 4 && trial["validation_relative_l2"] < least) {
      least = trial["validation_relative_l2"].get<double>();
      CHECK(fs::exists(folder / trial["folder"].get<std::string>() / "best.h5"));
    }
  }
  CHECK(trials == std::map<std::int64_t, int>{{1, 2}, {2, 1}, {4, 2}});
  const std::string best = found["best"];
  CHECK(command({"evaluate", best + "/case.toml", "--output", best}, folder.path()).status == 0);

  // Told to stop on two ranks, or killed on one, when the first rung is done: the same command goes on, here on one
  // rank.
  for (const auto& [run, ranks, signal] : {std::tuple{"two", 2, SIGUSR1}, std::tuple{"three", 1, SIGKILL}}) {
    CAPTURE(run);
    Process process(command_words(into(run), ranks), folder.path());
    while (process.running() && !fs::exists(folder / run / "tune.json"))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    process.send(signal);
    process.wait();
    const auto resumed = command(into(run), folder.path());
    REQUIRE(resumed.status == 0);
    CHECK(table_in(resumed.text) == table_in(outcome.text));
  }
}

TEST_CASE("tune: what cannot be searched is refused", "[cli][error]")
{
  const TemporaryFolder folder;
  prepare(folder, "");
  const auto refused = [&](const std::string& setting) {
    const auto outcome = command({"tune", "case.toml", "--set", setting}, folder.path());
    CHECK(outcome.status == 1);
    return outcome.text;
  };
  CHECK(says(refused("tune.trials=3"), {"no option to search", "[tune.log]"}));
  CHECK(says(refused("tune.log.training.rate=[0.0, 1.0]"), {"tune.log.training.rate", "above 0"}));
  CHECK(says(refused("tune.linear.training.rate=[1.0]"), {"tune.linear.training.rate", "both ends"}));
  CHECK(says(refused("tune.choices.model.width=[8]"), {"two values or more"}));
  CHECK(says(refused("tune.log.training.rat=[1e-3, 1e-2]"), {"unknown key \"rat\"", "rate"}));
}

TEST_CASE("members: predict their mean, with a deviation wherever a prediction is shown", "[cli]")
{
  const TemporaryFolder folder;
  prepare(folder, "members = 3\n");
  for (const int ranks : {1, 2}) {
    CAPTURE(ranks);
    const std::string run = "ranks" + std::to_string(ranks);
    const auto trained = command({"train", "case.toml", "--threads", "1", "--output", run}, folder.path(), ranks);
    REQUIRE(trained.status == 0);
    CHECK(says(trained.text, {"training 3 members", "member", "validation error", "±"}));
  }
  for (const char* member : {"0", "1", "2"}) {
    const auto file = std::string("members/") + member + "/best.h5";
    CHECK(bytes_of(folder / "ranks1" / file) == bytes_of(folder / "ranks2" / file));
  }
  CHECK(bytes_of(folder / "ranks1/members/0/best.h5") != bytes_of(folder / "ranks1/members/1/best.h5"));

  const auto evaluated = command({"evaluate", "case.toml", "--output", "ranks1"}, folder.path());
  REQUIRE(evaluated.status == 0);
  CHECK(says(evaluated.text, {"3 members: deviation", "of the truth within 1.96 deviations"}));
  const auto summary = json_of(folder / "ranks1/summary.json");
  for (const char* name : {"spread", "spread_over_error", "spread_error_correlation", "coverage_95"})
    CHECK(summary.contains(name));
  CHECK(summary["coverage_95"].get<double>() <= 1);

  const auto solved = command({"solve", "case.toml", "--with", "ranks1", "--output", "ranks1"}, folder.path());
  CHECK(solved.status == 0);
  CHECK(says(solved.text, {"3 surrogates"}));
  bool shown = false;
  for (const auto& entry : fs::directory_iterator(folder / "ranks1/paraview"))
    shown = shown || bytes_of(entry.path()).find("pressure_std") != std::string::npos;
  CHECK(shown);
}

TEST_CASE("folds: each part of the samples is held out once", "[cli]")
{
  const TemporaryFolder folder;
  prepare(folder, "");
  const auto outcome = command({"train", "case.toml", "--set", "data.folds=4", "--output", "run"}, folder.path());
  REQUIRE(outcome.status == 0);
  CHECK(says(outcome.text, {"training 4 members", "validation error", "±"}));
  for (const char* fold : {"0", "1", "2", "3"})
    CHECK(says(bytes_of(folder / "run/members" / fold / "log.txt"), {"on 30 samples", "10 held out"}));
  const auto refused = command({"train", "case.toml", "--set", "data.folds=50", "--output", "other"}, folder.path());
  CHECK(refused.status == 1);
  CHECK(says(refused.text, {"data.folds", "40 samples", "50 parts"}));
}

TEST_CASE("compare: what differs between runs, and their curves", "[cli]")
{
  const TemporaryFolder folder;
  copy_finished(folder / "a");
  const auto other = command({"train", "a/case.toml", "--set", "model.width=4", "--set",
                              "data.train=a/run/data/train.h5", "--set", "training.epochs=1", "--output", "b"},
                             folder.path());
  REQUIRE(other.status == 0);
  const auto outcome = command({"compare", "a/run", "b", "--output", "curves.png"}, folder.path());
  CHECK(outcome.status == 0);
  CHECK(
      says(outcome.text, {"a/run", "validation, best", "parameters", "model.width", "training.epochs", "data.train"}));
  CHECK(outcome.text.find("training.rate") == std::string::npos);
  CHECK(bytes_of(folder / "curves.png").starts_with("\x89PNG"));
}

TEST_CASE("evaluate --on: other resolutions and files in one table", "[cli]")
{
  const TemporaryFolder folder;
  copy_finished(folder / "copy");
  REQUIRE(command({"generate", "copy/case.toml", "--set", "generate.cells=[24, 24]", "--set", "generate.samples=1",
                   "--set", "generate.test_samples=4", "--output", "fine"},
                  folder.path())
              .status == 0);
  const auto outcome =
      command({"evaluate", "copy/case.toml", "--output", "copy/run", "--on", "fine/data/test.h5"}, folder.path());
  REQUIRE(outcome.status == 0);
  CHECK(says(outcome.text, {"grid", "16 × 16", "24 × 24", "fine/data/test.h5", "frmse_low", "conserved_rmse"}));
  const auto summary = json_of(folder / "copy/run/summary.json");
  CHECK(summary["test_samples on fine/data/test.h5"] == 4);
  CHECK(summary["relative_l2 on test"] == summary["relative_l2"]);
  CHECK(summary["relative_l2 on fine/data/test.h5"].get<double>() > 0);
}
