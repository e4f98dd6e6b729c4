#include "rollout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>
#include <locum/io/batches/windows.hpp>

#include <algorithm>
#include <cmath>

namespace locum::operators {

static bool contains(const std::vector<std::string>& names, const std::string& name)
{
  return std::find(names.begin(), names.end(), name) != names.end();
}

Rollout::Rollout(Surrogate& surrogate) : surrogate_(surrogate)
{
  const auto inputs = fields_of(surrogate.inputs()), outputs = fields_of(surrogate.outputs());
  for (const std::string& name : outputs) {
    const auto [field, step] = io::field_and_step(name);
    horizon_ = std::max(horizon_, step);
    if (!contains(fields_, field)) fields_.push_back(field);
  }
  for (const std::string& name : inputs) history_ = std::max(history_, -io::field_and_step(name).second);
  bool complete = horizon_ > 0;
  for (const std::string& field : fields_) {
    complete = complete && contains(inputs, field);
    for (std::int64_t step = 1; step <= horizon_; ++step)
      complete = complete && contains(outputs, io::name_at(field, step));
  }
  if (!complete)
    throw OptionError({.doing = "rolling out " + surrogate.description(),
                       .where = "its inputs and outputs",
                       .found = fmt::format("{} to {}", fmt::join(inputs, ", "), fmt::join(outputs, ", ")),
                       .expected = "fields now, and the same fields at the steps after",
                       .advice = "horizon = 1 in [data], with inputs and outputs the same"});
}

std::vector<Sample> Rollout::run(const std::vector<Sample>& past, std::int64_t steps) const
{
  std::vector<Sample> states = past;  // up to now
  while (static_cast<std::int64_t>(states.size() - past.size()) < steps) {
    Sample window = states.back();
    for (std::int64_t ago = 1; ago <= history_; ++ago)
      for (const auto& [name, field] : states[states.size() - 1 - static_cast<std::size_t>(ago)].fields)
        window.fields[io::name_at(name, -ago)] = field;
    const Sample predicted = surrogate_.solve(window);
    const Sample now = states.back();
    for (std::int64_t step = 1; step <= horizon_; ++step) {
      Sample next = now;
      for (const std::string& field : fields_) {
        next.fields[field] = predicted.field(io::name_at(field, step));
        next.fields[field].values = next.fields[field].values.to(now.field(field).values.scalar_type());
      }
      next.time = now.time + static_cast<double>(step) * surrogate_.interval;
      states.push_back(std::move(next));
    }
  }
  const auto first = states.begin() + static_cast<std::ptrdiff_t>(past.size());
  return {first, first + steps};
}

EvolvingSurrogate::EvolvingSurrogate(Surrogate surrogate) : surrogate_(std::move(surrogate)), rollout_(surrogate_)
{
  if (rollout_.history() > 0 || !(surrogate_.interval > 0))
    throw OptionError({.doing = "using a surrogate as a solver in time",
                       .where = surrogate_.description(),
                       .found = rollout_.history() > 0
                                    ? fmt::format("one that needs {} states before now", rollout_.history())
                                    : "one that does not know the time between its steps",
                       .expected = "one from the state now to the next",
                       .advice = "train with history = 1 in [data]"});
}

Sample EvolvingSurrogate::advance(const Sample& state, double duration)
{
  const double exact = duration / surrogate_.interval;
  const auto steps = static_cast<std::int64_t>(std::llround(exact));
  if (steps < 1 || std::abs(exact - static_cast<double>(steps)) > 1e-6 * exact)
    throw OptionError({.doing = "advancing with " + surrogate_.description(),
                       .where = "duration",
                       .found = fmt::format("{}", duration),
                       .expected = fmt::format("a multiple of {}, the step it has learnt", surrogate_.interval),
                       .advice = ""});
  Sample end = rollout_.run({state}, steps).back();
  end.time = state.time + duration;
  return end;
}

}  // namespace locum::operators
