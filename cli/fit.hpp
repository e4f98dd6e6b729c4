#pragma once
#include <locum/core/communicator.hpp>

#include <cstdint>

#include "case.hpp"
#include "run_folder.hpp"

namespace locum::cli {

/// Trains one surrogate in its folder, goes on with what is there. Collective over `ranks`.
/// @param pause_after  epochs after which it ends for now, as operators::TrainingRun has it; 0: all
/// @throws Stopped  if StopSignals of the caller's said so: its checkpoint is written
void fit(const Communicator& ranks, const Case& c, const RunFolder& folder, std::int64_t pause_after = 0);

}  // namespace locum::cli
