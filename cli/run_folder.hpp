#pragma once
#include <locum/core/communicator.hpp>
#include <locum/core/log.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "case.hpp"

namespace locum::cli {

/// The folder a run writes: case.toml, log.txt, metrics.jsonl, summary.json, checkpoint.h5, best.h5, data/, figures/,
/// paraview/. A run of several members has a folder for each: members/0, …
struct RunFolder {
  std::filesystem::path path;
  Log log;

  std::filesystem::path train_data(const Case& c) const;  ///< data.train, or what generate makes.
  std::filesystem::path test_data(const Case& c) const;
  std::filesystem::path checkpoint() const { return path / "checkpoint.h5"; }
  std::filesystem::path best() const { return path / "best.h5"; }
  std::filesystem::path metrics() const { return path / "metrics.jsonl"; }
  std::filesystem::path summary() const { return path / "summary.json"; }
  /// What training leaves: best.h5, or those of all members.
  std::vector<std::filesystem::path> surrogates(const Case& c) const;
};

/// What a verb asks of the folder it works in.
enum class Needs {
  nothing,        ///< Only room for its results; the case written there already stays.
  same_training,  ///< If a training has begun there, the case's, to go on with.
  surrogate,      ///< A trained surrogate of the case's model.
};

/// Makes the folder if it is missing and writes the case with all its defaults into it; a case that does not fit what
/// the folder holds changes nothing in it. Collective.
/// @throws OptionError  on every rank, naming the option, if the folder's surrogate was made with another case.
/// @throws SystemError  on every rank if the folder cannot be written, or what is needed is not there.
RunFolder open_run_folder(const Communicator& ranks, const std::filesystem::path& path, const Case& c, Needs needs);

/// A run below another: the same case with other options, on the same data; its log is in its file alone.
struct InnerRun {
  Case c;
  RunFolder folder;
};

/// @param name      of its folder, below that of `around`
/// @param settings  the other options, as Case::with() takes them
/// @throws as open_run_folder() does, if what is in the folder is of another case. Collective.
InnerRun open_inner_run(const Communicator& ranks, const Case& c, const RunFolder& around, const std::string& name,
                        std::vector<std::string> settings);

}  // namespace locum::cli
