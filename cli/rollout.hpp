#pragma once
#include <locum/io/metrics.hpp>
#include <locum/operators/surrogate.hpp>

#include <map>
#include <string>

#include "case.hpp"
#include "run_folder.hpp"

namespace locum::cli {

/// Rolls a surrogate of one step out over the test trajectories, from their first states to their ends:
/// rollout_relative_l2 (over all steps together), …_last (at the end) in the summary, figures/rollout*.png,
/// paraview/rollout.pvd.
void roll_out(const Case& c, const RunFolder& folder, operators::Surrogate& surrogate,
              std::map<std::string, io::Metric>& summary);

/// Median seconds that the case's reference solver takes to advance one state, on the grid of [generate], by
/// `duration`.
double seconds_of_reference(const Case& c, double duration);

}  // namespace locum::cli
