#pragma once
#include <locum/core/communicator.hpp>
#include <locum/core/log.hpp>

#include <filesystem>

#include "case.hpp"

namespace locum::cli {

/// The folder a run writes: case.toml, log.txt, metrics.jsonl, summary.json, checkpoint.h5, best.h5, data/, figures/,
/// paraview/.
struct RunFolder {
  std::filesystem::path path;
  Log log;

  std::filesystem::path train_data(const Case& c) const;  ///< data.train, or what generate makes.
  std::filesystem::path test_data(const Case& c) const;
  std::filesystem::path checkpoint() const { return path / "checkpoint.h5"; }
  std::filesystem::path best() const { return path / "best.h5"; }
  std::filesystem::path metrics() const { return path / "metrics.jsonl"; }
  std::filesystem::path summary() const { return path / "summary.json"; }
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

}  // namespace locum::cli
