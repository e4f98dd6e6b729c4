#include "target.hpp"

namespace locum::cli {

void compare_with_target(const Case& c, const RunFolder& folder, const std::map<std::string, io::Metric>& summary)
{
  if (c.target.accept <= 0) return;
  const auto metric = summary.find(c.target.metric);
  const auto* value = metric == summary.end() ? nullptr : std::get_if<double>(&metric->second);
  if (!value)
    throw OptionError({.doing = "comparing with the target",
                       .where = "target.metric",
                       .found = fmt::format("\"{}\"", c.target.metric),
                       .expected = "a number in summary.json",
                       .advice = "metric = \"relative_l2\""});
  folder.log->info(
      "{} {:.4f}: {} the accepted {}{}", c.target.metric, *value, *value <= c.target.accept ? "within" : "MISSES",
      c.target.accept,
      c.target.published > 0 ? fmt::format("; published {} ({})", c.target.published, c.target.source) : "");
}

}  // namespace locum::cli
