#include <locum/io/datasets/dataset.hpp>
#include <nlohmann/json.hpp>

#include <csignal>
#include <thread>

#include "command.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/hdf5_files.hpp"

using namespace locum::tests;
namespace fs = std::filesystem;

/// Lorenz-96 with ten variables, a transform filter of twelve members.
static const std::string twin_case = R"(
[equation]
name = "lorenz96"
[solver]
step = 0.05
[generate]
cells    = [10]
spin_up  = 5.0
interval = 0.1
[data]
horizon = 1
[observations]
every     = 2
deviation = 0.5
[assimilation]
members    = 12
inflation  = 1.05
cycles     = 60
burn_in    = 10
stored     = 20
increments = true
)";

TEST_CASE("assimilate: a twin experiment leaves scores, states, increments and pictures", "[cli]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml", twin_case);
  const auto outcome = command({"assimilate", "case.toml", "--output", "run"}, folder.path());
  INFO(outcome.text);
  REQUIRE(outcome.status == 0);
  CHECK(says(outcome.text, {"ETKF, 12 members", "5 observations every 0.1", "60 cycles", "RMSE of forecast"}));
  const auto summary = nlohmann::json::parse(bytes_of(folder / "run/summary.json"));
  CHECK(summary.at("assimilation_cycles") == 60);
  CHECK(summary.at("assimilation_rmse_analysis") < 0.5);  // better than an observation
  for (const char* file : {"figures/assimilation.png", "figures/ranks.png", "figures/states.png",
                           "paraview/assimilation.pvd", "paraview/members.pvd", "cycles.csv"})
    CHECK(fs::exists(folder / "run" / file));
  const auto states = locum::io::open_dataset(folder / "run/analysis.h5");
  CHECK(states->steps() == 20);
  CHECK(states->describe("state_analysis").time_varying);
  const auto increments = locum::io::open_dataset(folder / "run/increments.h5");
  CHECK(increments->size() == 50);  // of cycles from burn_in on
  CHECK_THAT(increments->read({"state", "state_increment"}, 3, 1).scalars.at("interval").values[0].item<double>(),
             WithinAbs(0.1, 1e-12));

  // The same on two ranks, to the bit; and further with the same command.
  CHECK(command({"assimilate", "case.toml", "--output", "two"}, folder.path(), 2).status == 0);
  const bool same = bytes_of(folder / "run/cycles.csv") == bytes_of(folder / "two/cycles.csv");
  CHECK(same);
  const Words longer = {"assimilate", "case.toml", "--set", "assimilation.cycles=90", "--output", "run"};
  const auto further = command(longer, folder.path());
  INFO(further.text);
  CHECK(says(further.text, {"goes on after cycle 60", "90 cycles"}));
  const auto whole =
      command({"assimilate", "case.toml", "--set", "assimilation.cycles=90", "--output", "whole"}, folder.path());
  const bool same_further = bytes_of(folder / "run/cycles.csv") == bytes_of(folder / "whole/cycles.csv");
  CHECK(same_further);
  const auto other =
      command({"assimilate", "case.toml", "--set", "assimilation.members=13", "--output", "run"}, folder.path());
  CHECK(other.status == 1);
  CHECK(says(other.text, {"resuming the assimilation", "members = 12", "members = 13"}));
}

TEST_CASE("assimilate: told to stop, it goes on to the same bits", "[cli]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml", twin_case);
  const Words words = {"assimilate", "case.toml", "--set", "assimilation.cycles=30000", "--output", "run"};
  {
    Process process(command_words(words), folder.path());
    while (process.running() && !fs::exists(folder / "run/log.txt")) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    process.send(SIGUSR1);
    const auto stopped = process.wait();
    INFO(stopped.text);
    REQUIRE(stopped.status == 75);
    CHECK(says(stopped.text, {"assimilation.h5", "same command"}));
  }
  CHECK(command(words, folder.path()).status == 0);
  CHECK(command({"assimilate", "case.toml", "--set", "assimilation.cycles=30000", "--output", "whole"}, folder.path())
            .status == 0);
  const bool same = bytes_of(folder / "run/cycles.csv") == bytes_of(folder / "whole/cycles.csv");
  CHECK(same);
}

TEST_CASE("assimilate: observations of a file, and what is wrong with a case", "[cli][error]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml", twin_case);
  {
    const auto file = make_file(folder / "seen.h5");
    locum::io::hdf5::create_group(file.get(), "state", writing);
    const auto write = [&](const char* name, const std::vector<double>& values) {
      locum::io::hdf5::write(file.get(), std::string("state/") + name, torch::tensor(values, torch::kFloat64), writing);
    };
    write("time", {0.1, 0.1, 0.2});
    write("value", {2, 3, 2.5});
    write("variable", {0, 4.5, 0});
  }
  const auto with = [&](const Words& settings) {
    Words words = {"assimilate", "case.toml", "--output", "run"};
    for (const std::string& setting : settings) words.insert(words.end(), {"--set", setting});
    return command(words, folder.path());
  };
  const auto recorded = with({"observations.file=seen.h5", "assimilation.burn_in=0"});
  INFO(recorded.text);
  CHECK(recorded.status == 0);
  CHECK(says(recorded.text, {"2 times from seen.h5", "RMSE of forecast unknown", "χ²"}));
  const auto short_run =
      with({"observations.file=seen.h5", "assimilation.burn_in=0", "assimilation.cycles=1", "assimilation.members=11"});
  CHECK(says(short_run.text, {"resuming"}));  // another run is in that folder
  CHECK(says(command({"assimilate", "case.toml", "--set", "observations.file=seen.h5", "--set",
                      "assimilation.burn_in=0", "--set", "assimilation.cycles=1", "--output", "short"},
                     folder.path())
                 .text,
             {"1 observation times of seen.h5 are later than the run", "cycles = 2"}));

  const auto refused = [&](const Words& settings, std::initializer_list<const char*> expected) {
    const auto outcome = with(settings);
    INFO(outcome.text);
    CHECK(outcome.status == 1);
    CHECK(says(outcome.text, expected));
  };
  refused({"assimilation.method=kalman"}, {"assimilation.method", "\"etkf\""});
  refused({"assimilation.members=1"}, {"assimilation.members", "no spread"});
  refused({"observations.deviation=0"}, {"observations.deviation", "above 0"});
  refused({"observations.fields=[\"u\"]"}, {"u", "state"});
  refused({"observations.file=none.h5"}, {"none.h5"});
}
