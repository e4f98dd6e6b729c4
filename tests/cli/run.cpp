#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "command.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum::tests;
namespace fs = std::filesystem;

namespace {

std::string without_first_line(const std::string& text) { return text.substr(text.find('\n') + 1); }

std::int64_t lines_of(const fs::path& file)
{
  const auto text = bytes_of(file);
  return std::count(text.begin(), text.end(), '\n');
}

/// Every file below a folder, with its bytes.
std::map<std::string, std::string> contents(const fs::path& folder)
{
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files[fs::relative(entry.path(), folder)] = bytes_of(entry.path());
  return files;
}

}  // namespace

TEST_CASE("run: leaves everything in its folder", "[cli]")
{
  const fs::path run = finished() / "run";
  CHECK(
      says(bytes_of(run / "case.toml"), {"[model]", "width = 8", "[training]", "epochs = 2", "optimiser = \"adamw\""}));
  CHECK(says(bytes_of(run / "log.txt"), {"train.h5: 40 samples", "epoch    2/2", "relative L2 error"}));
  CHECK(lines_of(run / "metrics.jsonl") == 2);
  for (const char* file : {"checkpoint.h5", "best.h5", "data/train.h5", "data/test.h5"}) {
    CAPTURE(file);
    CHECK(bytes_of(run / file).starts_with("\x89HDF"));
  }

  const auto summary = nlohmann::json::parse(std::ifstream(run / "summary.json"));
  for (const char* name : {"relative_l2", "relative_residual", "seconds_generating", "seconds_training",
                           "seconds_per_epoch", "seconds_per_solve", "seconds_per_reference_solve", "speed_up",
                           "parameters", "training_samples", "test_samples"}) {
    CAPTURE(name);
    REQUIRE(summary.contains(name));
    CHECK(summary[name].get<double>() > 0);
  }
  CHECK(summary["relative_l2"].get<double>() < 1);
  for (const auto& [name, value] : summary.items()) CHECK(value.is_primitive());

  std::int64_t pictures = 0;
  for (const auto& entry : fs::directory_iterator(run / "figures"))
    if (entry.path().extension() == ".png") {
      ++pictures;
      CHECK(bytes_of(entry.path()).starts_with("\x89PNG"));
      CHECK(entry.file_size() > 1000);
    }
  CHECK(pictures == 3 + 3);  // loss, errors, spectrum, and three samples
}

TEST_CASE("run: what is done is not done again", "[cli][restart]")
{
  const TemporaryFolder folder;
  copy_finished(folder / "copy");
  const auto before = contents(folder / "copy/run");
  const auto again = command({"run", "case.toml", "--output", "run"}, folder / "copy");
  CHECK(again.status == 0);
  CHECK(says(again.text, {"trained already: 2 epochs"}));
  const auto after = contents(folder / "copy/run");
  for (const char* file : {"case.toml", "best.h5", "checkpoint.h5", "metrics.jsonl", "data/train.h5", "data/test.h5"}) {
    CAPTURE(file);
    CHECK(before.at(file) == after.at(file));
  }
  CHECK(before.size() == after.size());
}

TEST_CASE("run: the case it leaves is a case, and gives the same data and weights", "[cli][property]")
{
  const TemporaryFolder folder;
  const auto again = command({"run", (finished() / "run/case.toml").string(), "--output", "y"}, folder.path());
  CHECK(again.status == 0);
  for (const char* file : {"data/train.h5", "data/test.h5", "best.h5", "checkpoint.h5"}) {
    CAPTURE(file);
    CHECK(bytes_of(folder / "y" / file) == bytes_of(finished() / "run" / file));
  }
  CHECK(without_first_line(bytes_of(folder / "y/case.toml")) ==
        without_first_line(bytes_of(finished() / "run/case.toml")));
}

TEST_CASE("run: killed or interrupted, it goes on to the bytes of an unbroken run", "[cli][restart]")
{
  const TemporaryFolder folder;
  copy_finished(folder / "copy");
  fs::rename(folder / "copy/run/data", folder / "data");
  write_case(folder / "case.toml", "[data]\ntrain = \"data/train.h5\"\ntest = \"data/test.h5\"\n");
  const Words train = {"train", "case.toml", "--set", "training.epochs=20", "--output"};
  const auto into = [&](const std::string& run) {
    auto words = train;
    words.push_back(run);
    return words;
  };
  REQUIRE(command(into("unbroken"), folder.path()).status == 0);

  for (const int signal : {SIGKILL, SIGINT}) {
    CAPTURE(signal);
    const std::string run = "stopped_by_" + std::to_string(signal);
    Process process(command_words(into(run)), folder.path());
    while (process.running() && lines_of(folder / run / "metrics.jsonl") < 2)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    process.send(signal);
    const auto stopped = process.wait();
    CAPTURE(stopped.text);
    CHECK(stopped.status == 128 + signal);
    CHECK(bytes_of(folder / run / "best.h5") != bytes_of(folder / "unbroken/best.h5"));

    const auto resumed = command(into(run), folder.path());
    CHECK(resumed.status == 0);
    CHECK(says(resumed.text, {"resuming training after epoch", "of 20"}));
    CHECK(bytes_of(folder / run / "best.h5") == bytes_of(folder / "unbroken/best.h5"));
    CHECK(bytes_of(folder / run / "checkpoint.h5") == bytes_of(folder / "unbroken/checkpoint.h5"));
  }
}

TEST_CASE("train: told to stop within an epoch, it leaves a checkpoint; the same command goes on to the same bytes",
          "[cli][restart]")
{
  const TemporaryFolder folder;
  copy_finished(folder / "copy");
  fs::rename(folder / "copy/run/data", folder / "data");
  write_case(folder / "case.toml", "[data]\ntrain = \"data/train.h5\"\ntest = \"data/test.h5\"\n");
  const auto train = [](const std::string& run, int ranks) {
    return command_words({"train", "case.toml", "--set", "training.epochs=400", "--output", run}, ranks);
  };
  const auto text_of = [&](const Words& words) {
    const auto outcome = Process(words, folder.path()).wait();
    CAPTURE(outcome.text);
    CHECK(outcome.status == 0);
    return outcome.text;
  };
  for (const int ranks : {1, 2}) {
    CAPTURE(ranks);
    const std::string number = std::to_string(ranks);
    text_of(train("unbroken" + number, ranks));
    const std::string run = "stopped" + number;
    Process process(train(run, ranks), folder.path());
    while (process.running() && lines_of(folder / run / "metrics.jsonl") < 2)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    process.send(SIGUSR1);  // which mpiexec passes on
    const auto stopped = process.wait();
    CAPTURE(stopped.text);
    CHECK(stopped.status == 75);
    CHECK(says(stopped.text, {"told to stop", "goes on"}));
    CHECK(says(text_of(train(run, ranks)), {"resuming training after epoch"}));
    for (const char* file : {"best.h5", "checkpoint.h5"})
      CHECK(bytes_of(folder / run / file) == bytes_of(folder / ("unbroken" + number) / file));
  }
}

TEST_CASE("generate: one rank, two and three write the same bytes", "[cli]")
{
  const TemporaryFolder folder;
  for (const int ranks : {2, 3}) {
    CAPTURE(ranks);
    const std::string run = "ranks" + std::to_string(ranks);
    CHECK(command({"generate", (finished() / "case.toml").string(), "--output", run}, folder.path(), ranks).status ==
          0);
    for (const char* file : {"data/train.h5", "data/test.h5"})
      CHECK(bytes_of(folder / run / file) == bytes_of(finished() / "run" / file));
  }
}

TEST_CASE("--print-config: prints a case that means the same", "[cli][property]")
{
  const TemporaryFolder folder;
  const auto printed = command({"run", (finished() / "case.toml").string(), "--set", "training.rate=3e-3", "--set",
                                "model.norm=group", "--petsc", "-ksp_rtol 1e-9 -ksp_monitor", "--print-config"},
                               folder.path());
  REQUIRE(printed.status == 0);
  CHECK(says(printed.text, {"rate = 0.003", "norm = \"group\"", "ksp_rtol = \"1e-9\"", "ksp_monitor = \"\""}));
  write_text(folder / "printed.toml", printed.text);
  const auto again = command({"run", "printed.toml", "--print-config"}, folder.path());
  CHECK(again.status == 0);
  CHECK(without_first_line(again.text) == without_first_line(printed.text));
  CHECK_FALSE(fs::exists(folder / "runs"));
}

TEST_CASE("a case folder, from another working directory, leaves its results below that", "[cli]")
{
  const TemporaryFolder folder;
  fs::create_directories(folder / "cases/tiny");
  fs::create_directories(folder / "elsewhere");
  write_case(folder / "cases/tiny/case.toml");
  const auto outcome =
      command({"generate", "../cases/tiny", "--set", "generate.samples=2", "--set", "generate.test_samples=1"},
              folder / "elsewhere");
  CHECK(outcome.status == 0);
  CHECK(fs::exists(folder / "elsewhere/runs/tiny/data/train.h5"));
}

TEST_CASE("--help: answers for every verb, without MPI", "[cli]")
{
  // With this setting MPI_Init ends the program.
  const Words no_mpi = {"env", "OMPI_MCA_pml=no_such_component"};
  const auto help = [&](const Words& words) {
    Words all = no_mpi;
    for (const auto& word : command_words(words)) all.push_back(word);
    return Process(all, fs::temp_directory_path()).wait();
  };
  const auto whole = help({"--help"});
  CHECK(whole.status == 0);
  for (const std::string verb : {"generate", "train", "evaluate", "run", "solve", "info", "list"}) {
    CHECK(says(whole.text, {verb.c_str()}));
    const auto one = help({verb, "--help"});
    CHECK(one.status == 0);
    CHECK(says(one.text, {"Usage: locum", verb.c_str()}));
  }
}
