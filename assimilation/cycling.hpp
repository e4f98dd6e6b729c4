#pragma once
#include <filesystem>
#include <functional>

#include "diagnostics.hpp"
#include "sources.hpp"

namespace locum::assimilation {

struct CyclingOptions {
  std::int64_t cycles = 1000;
  std::int64_t burn_in = 100;
  std::int64_t stored = 50;
  bool increments = false;
  double checkpoint_minutes = 10;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("cycles", cycles, "of forecast and analysis");
    option("burn_in", burn_in, "first cycles that do not count in the means");
    option("stored", stored, "last cycles whose states are kept, for pictures and ParaView");
    option("increments", increments, "keep the analysis increments of cycles from burn_in on, for `locum discover`");
    option("checkpoint_minutes", checkpoint_minutes, "from one checkpoint to the next");
  }
};

/// Where and beside whom observations are assimilated.
struct CyclingRun {
  std::filesystem::path folder = {};
  std::string settings = {};        ///< What the run was started with: stored, and compared on resuming.
  std::function<bool()> stop = {};  ///< Asked after every cycle: whether to write a checkpoint and come back.
};

/// A state of the cycles that are kept. Empty where unknown.
struct StoredCycle {
  double time = 0;
  RowVector truth, forecast, analysis, spread;  ///< Means, and the members' deviation in the analysis. [variable]
};

/// What the model was off by: the forecast from `state`, after an interval, and what observations made of it.
struct StoredIncrement {
  double interval = 0;
  RowVector state, forecast, analysis;  ///< Means, [variable]
};

struct CyclingResult {
  std::vector<Scores> scores;           ///< By cycle.
  std::map<std::string, double> means;  ///< Of the scores, over cycles after burn-in where they are known.
  Eigen::ArrayXd ranks;                 ///< count_ranks() of the analyses after burn-in; of the truth, or zero.
  std::vector<StoredCycle> stored;
  std::vector<StoredIncrement> increments;  ///< Of cycles from burn_in on.
  Matrix members;                           ///< The last analysis.
  double time = 0;
  bool complete = true;         ///< false if it was told to stop
  std::int64_t collapsed = -1;  ///< The first cycle in which the ensemble no longer knew of its error, or −1.
};

/// Assimilates observations cycle after cycle, as long as there are any. Collective over the forecast's ranks.
///
/// `folder`/assimilation.h5 is a checkpoint of everything it takes to go on to the bit: members, method, truth, scores.
/// An ensemble that has collapsed is named in the log: for 50 cycles its innovations were 10 times as large as spread
/// and R explain.
///
/// @param members  the first ones, at `time`
/// @throws OptionError  if the checkpoint there is of another run
/// @throws SolverError  if the members are no longer finite, or have lost all spread
CyclingResult assimilate(Method& method, ObservationSource& source, const Forecast& forecast, Matrix members,
                         double time, const CyclingOptions& options, const CyclingRun& run);

}  // namespace locum::assimilation
