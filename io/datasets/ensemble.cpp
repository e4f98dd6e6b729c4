#include "ensemble.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <algorithm>
#include <cmath>

namespace locum::io {

Sample summarise(const Sample& members, const std::vector<double>& quantiles)
{
  const std::int64_t count = members.batch();
  const bool in_range = std::all_of(quantiles.begin(), quantiles.end(), [](double q) { return q >= 0 && q <= 1; });
  if (count < 1 || !in_range)
    throw ShapeError({.doing = "summarising an ensemble",
                      .where = "",
                      .found = fmt::format("{} members, {} quantiles", count, quantiles.size()),
                      .expected = "at least one member, and quantiles from 0 to 1",
                      .advice = ""});
  Sample summary{.domain = members.domain, .fields = {}, .scalars = {}, .time = members.time};
  for (const auto& [name, field] : members.fields) {
    const Tensor values = field.values.to(torch::kFloat64);
    const auto add = [&, &unit = field.unit, type = field.values.scalar_type()](const std::string& what,
                                                                                const Tensor& value) {
      summary.fields[what] = {.values = value.to(type), .unit = unit};
    };
    add(name + "_mean", values.mean(0, /*keepdim=*/true));
    add(name + "_std", count > 1 ? values.std(0, /*unbiased=*/true, /*keepdim=*/true) : torch::zeros_like(values));
    if (quantiles.empty()) continue;
    const Tensor sorted = std::get<0>(values.sort(0));
    for (const double q : quantiles) {
      const double place = q * static_cast<double>(count - 1);
      const auto below = static_cast<std::int64_t>(std::floor(place));
      const double weight = place - static_cast<double>(below);
      const Tensor low = sorted.narrow(0, below, 1), high = sorted.narrow(0, std::min(below + 1, count - 1), 1);
      add(fmt::format("{}_q{:02}", name, std::lround(100 * q)), torch::lerp(low, high, weight));
    }
  }
  for (const auto& [name, scalar] : members.scalars)
    summary.scalars[name] = {.values = scalar.values.to(torch::kFloat64).mean(0, true), .unit = scalar.unit};
  return summary;
}

}  // namespace locum::io
