#include "sides.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>

#include <algorithm>
#include <cmath>

namespace locum::physics {

Sides::Sides(const std::string& equation, const SideOptions& options)
{
  const auto refuse = [&](const char* option, const std::string& found, const std::string& expected,
                          const std::string& advice) {
    throw OptionError({.doing = "setting up equation " + equation,
                       .where = option,
                       .found = found,
                       .expected = expected,
                       .advice = advice});
  };
  given_.fill(true);
  const std::vector<std::string> all(names.begin(), names.end());
  for (const std::string& side : options.insulated) {
    const auto which = std::find(all.begin(), all.end(), side);
    if (which == all.end())
      refuse("insulated", fmt::format("\"{}\"", side), fmt::format("some of {}", fmt::join(all, ", ")),
             nearest_name(side, all));
    given_[static_cast<std::size_t>(which - all.begin())] = false;
  }
  if (options.values.empty()) return;
  const auto is_finite = [](double value) { return std::isfinite(value); };
  if (options.values.size() != values_.size() || !std::all_of(options.values.begin(), options.values.end(), is_finite))
    refuse("side_values", fmt::format("[{}]", fmt::join(options.values, ", ")), "six finite numbers",
           "side_values = [1, 0, 0, 0, 0, 0] for 1 where x is lowest");
  std::copy(options.values.begin(), options.values.end(), values_.begin());
}

}  // namespace locum::physics
