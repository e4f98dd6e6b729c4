#include "run_folder.hpp"

#include <locum/core/agree.hpp>
#include <locum/io/atomic_file.hpp>
#include <locum/io/batches/windows.hpp>
#include <locum/io/checkpoint.hpp>
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

static void refuse_misfit(const RunFolder& folder, const Case& c, Needs needs)
{
  if (needs == Needs::nothing) return;
  if (needs == Needs::same_training && fs::exists(folder.checkpoint()))
    operators::refuse_other_training(folder.checkpoint(),
                                     io::Checkpoint::read(folder.checkpoint()).text("training/settings"),
                                     c.training_settings());
  if (needs == Needs::surrogate && !fs::exists(folder.best()))
    throw SystemError({.doing = "looking for the trained surrogate",
                       .where = folder.best().string(),
                       .found = "no such file",
                       .expected = "what training leaves there",
                       .advice = "`locum train` first, or --output DIR with the folder of a run"});
  if (!fs::exists(folder.best())) return;
  const auto surrogate = operators::Surrogate::load(folder.best());
  const auto compare = [&](const std::string& then, const std::string& now) {
    refuse_other_options("comparing the case with the surrogate trained", folder.best().string(), then, now);
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

RunFolder open_run_folder(const Communicator& ranks, const fs::path& path, const Case& c, Needs needs)
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
    folder.log = open_log(ranks, path / "log.txt");
  });
  return folder;
}

}  // namespace locum::cli
