#include "run_folder.hpp"

#include <locum/core/agree.hpp>
#include <locum/io/atomic_file.hpp>
#include <locum/io/batches/windows.hpp>
#include <locum/io/checkpoints/checkpoint.hpp>
#include <locum/operators/surrogate.hpp>
#include <locum/operators/training/state.hpp>

namespace locum::cli {

namespace fs = std::filesystem;

fs::path RunFolder::train_data(const Case& c) const
{
  return c.data.train.empty() ? path / "data" / "train.h5" : fs::path(c.data.train);
}
fs::path RunFolder::test_data(const Case& c) const
{
  if (!c.data.test.empty()) return c.data.test;
  return c.equation || c.data.train.empty() ? path / "data" / "test.h5" : fs::path(c.data.train);
}

std::vector<fs::path> RunFolder::surrogates(const Case& c) const
{
  if (c.members() == 1) return {best()};
  std::vector<fs::path> all;
  for (std::int64_t i = 0; i < c.members(); ++i) all.push_back(path / "members" / std::to_string(i) / "best.h5");
  return all;
}

static void refuse_misfit(const RunFolder& folder, const Case& c, Needs needs)
{
  if (needs == Needs::nothing) return;
  if (needs == Needs::same_training && fs::exists(folder.checkpoint()))
    operators::refuse_other_training(folder.checkpoint(),
                                     io::Checkpoint::read(folder.checkpoint()).text("training/settings"),
                                     c.training_settings());
  const auto files = folder.surrogates(c);
  if (needs == Needs::surrogate)
    for (const fs::path& file : files)
      if (!fs::exists(file))
        throw SystemError({.doing = "looking for the trained surrogate",
                           .where = file.string(),
                           .found = "no such file",
                           .expected = "what training leaves there",
                           .advice = "`locum train` first, or --output DIR with the folder of a run"});
  if (!fs::exists(files.front())) return;
  const auto surrogate = operators::Surrogate::load(files.front());
  const auto compare = [&](const std::string& then, const std::string& now) {
    refuse_other_options("comparing the case with the surrogate trained", files.front().string(), then, now);
  };
  compare(surrogate.options(), c.section("model"));
  const auto fields = [](const std::string& name, const std::vector<std::string>& names) {
    return fmt::format("{} = {}\n", name, to_toml(names));
  };
  const auto without_steps = [](const std::vector<Channel>& channels) {
    std::vector<std::string> names;
    for (const std::string& name : operators::fields_of(channels))
      if (const auto field = io::field_and_step(name).first; names.empty() || names.back() != field)
        names.push_back(field);
    return names;
  };
  compare(fields("inputs", without_steps(surrogate.inputs())), fields("inputs", c.data.inputs));
  compare(fields("outputs", without_steps(surrogate.outputs())), fields("outputs", c.data.outputs));
}

/// @param quiet  whether the log is in its file alone
static RunFolder open(const Communicator& ranks, const fs::path& path, const Case& c, Needs needs, bool quiet)
{
  RunFolder folder{.path = path, .log = silent_log()};
  agree(ranks, [&] {
    if (!ranks.is_root()) return;
    refuse_misfit(folder, c, needs);
    std::error_code failure;
    for (const char* part : {"data", "figures", "paraview"}) {
      fs::create_directories(path / part, failure);
      if (failure) break;
    }
    if (failure)
      throw SystemError({.doing = "making the run folder",
                         .where = path.string(),
                         .found = failure.message(),
                         .expected = "a folder that can be written",
                         .advice = "--output DIR with a folder of yours"});
    const std::string text = "# What this run was started with, defaults included.\n" + c.to_toml();
    if (needs != Needs::nothing || !fs::exists(path / "case.toml"))
      io::write_atomically(path / "case.toml", std::as_bytes(std::span(text)));
    folder.log = quiet ? open_quiet_log(path / "log.txt") : open_log(ranks, path / "log.txt");
  });
  return folder;
}

RunFolder open_run_folder(const Communicator& ranks, const fs::path& path, const Case& c, Needs needs)
{
  return open(ranks, path, c, needs, /*quiet=*/false);
}

InnerRun open_inner_run(const Communicator& ranks, const Case& c, const RunFolder& around, const std::string& name,
                        std::vector<std::string> settings)
{
  const auto train = around.train_data(c), test = around.test_data(c);
  const auto take = [&](const char* key, const fs::path& file) {
    settings.push_back(fmt::format("{}={}", key, to_toml(file.string())));
  };
  if (c.data.train.empty()) take("data.train", train);
  if (c.data.test.empty() && test != train) take("data.test", test);
  Case inner = c.with(settings);
  RunFolder folder = open(ranks, around.path / name, inner, Needs::same_training, /*quiet=*/true);
  return {.c = std::move(inner), .folder = std::move(folder)};
}

}  // namespace locum::cli
