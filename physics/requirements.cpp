#include "requirements.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>

#include <algorithm>
#include <cmath>

namespace locum::physics {

static void require(const std::string& equation, std::initializer_list<std::pair<const char*, double>> options,
                    bool (*good)(double), const char* expected)
{
  for (const auto& [option, value] : options)
    if (!good(value) || !std::isfinite(value))
      throw OptionError({.doing = fmt::format("setting up equation {}", equation),
                         .where = option,
                         .found = fmt::format("{}", value),
                         .expected = expected,
                         .advice = ""});
}

void require_positive(const std::string& equation, std::initializer_list<std::pair<const char*, double>> options)
{
  require(
      equation, options, [](double value) { return value > 0; }, "a positive number");
}

void require_not_negative(const std::string& equation, std::initializer_list<std::pair<const char*, double>> options)
{
  require(
      equation, options, [](double value) { return value >= 0; }, "a number that is not negative");
}

void require_axes(const std::string& equation, const std::vector<std::int64_t>& cells, std::size_t axes)
{
  const bool good = cells.size() == axes && std::all_of(cells.begin(), cells.end(), [](auto n) { return n >= 4; });
  if (good) return;
  const std::vector<int> example(axes, 64);
  throw OptionError({.doing = fmt::format("making a grid for equation {}", equation),
                     .where = "cells",
                     .found = fmt::format("[{}]", fmt::join(cells, ", ")),
                     .expected = fmt::format("{} number{}, at least 4, slowest axis first", axes, axes == 1 ? "" : "s"),
                     .advice = fmt::format("cells = [{}]", fmt::join(example, ", "))});
}

}  // namespace locum::physics
