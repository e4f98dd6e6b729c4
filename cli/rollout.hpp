#pragma once
#include <locum/io/logs/metrics.hpp>
#include <locum/operators/ensemble.hpp>

#include <map>
#include <string>

#include "case.hpp"
#include "run_folder.hpp"

namespace locum::cli {

/// Rolls surrogates of one step, each on its own, out over the test trajectories, from their first states to their
/// ends: rollout_relative_l2 (over all steps together), …_last (at the end), rollout_nrmse (their mean over steps),
/// correlation_time_0.9, …_0.8 in the summary, figures/rollout*.png, figures/correlation.png, paraview/rollout.pvd.
void roll_out(const Case& c, const RunFolder& folder, operators::SurrogateEnsemble& ensemble,
              std::map<std::string, io::Metric>& summary);

/// Median seconds that the case's reference solver takes to advance one state, on the grid of [generate], by
/// `duration`.
double seconds_of_reference(const Case& c, double duration);

}  // namespace locum::cli
