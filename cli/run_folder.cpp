#include "run_folder.hpp"

#include <locum/core/agree.hpp>
#include <locum/io/atomic_file.hpp>

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

RunFolder open_run_folder(const Communicator& ranks, const fs::path& path, const Case& c)
{
  RunFolder folder{.path = path, .log = silent_log()};
  agree(ranks, [&] {
    if (!ranks.is_root()) return;
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
    const std::string text =
        fmt::format("# {}: what this run was started with, defaults included\n{}", c.name, c.to_toml());
    io::write_atomically(path / "case.toml", std::as_bytes(std::span(text)));
    folder.log = open_log(ranks, path / "log.txt");
  });
  return folder;
}

}  // namespace locum::cli
