#pragma once
#include <locum/core/communicator.hpp>
#include <locum/core/solver.hpp>

#include <filesystem>
#include <memory>
#include <string>

#include "case.hpp"

namespace locum::cli {

/// The checkpoint a user means by a path: the best of a run, if it is its folder.
std::filesystem::path surrogate_file(const std::filesystem::path& path);

/// The solver that `--with` names: "reference", a checkpoint, or the folder of a run with a surrogate in it.
/// @param ranks  share the reference solver's work
/// @throws SystemError  if there is no such file; OptionError  if it is not a surrogate of the case's equation
std::unique_ptr<SteadySolver> choose_steady(const Communicator& ranks, const Case& c, const std::string& with);
std::unique_ptr<EvolvingSolver> choose_evolving(const Communicator& ranks, const Case& c, const std::string& with);

}  // namespace locum::cli
