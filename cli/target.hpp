#pragma once
#include <locum/io/logs/metrics.hpp>

#include <map>
#include <string>

#include "case.hpp"
#include "run_folder.hpp"

namespace locum::cli {

/// Says in the log whether the case's metric is what [target] accepts, if it accepts anything.
/// @throws OptionError  if target.metric is no number of the summary
void compare_with_target(const Case& c, const RunFolder& folder, const std::map<std::string, io::Metric>& summary);

}  // namespace locum::cli
