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
  std::filesystem::path best() const { return path / "best.h5"; }

  std::filesystem::path metrics() const { return path / "metrics.jsonl"; }
  std::filesystem::path summary() const { return path / "summary.json"; }
};

/// Makes the folder if it is missing and writes the case with all its defaults into it. Collective.
/// @throws SystemError  on every rank if the folder cannot be written.
RunFolder open_run_folder(const Communicator& ranks, const std::filesystem::path& path, const Case& c);

}  // namespace locum::cli
