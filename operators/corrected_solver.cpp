#include "corrected_solver.hpp"

#include <fmt/ranges.h>
#include <locum/core/error.hpp>

#include <cmath>

namespace locum::operators {

static constexpr std::string_view ending = "_increment";

CorrectedSolver::CorrectedSolver(std::unique_ptr<EvolvingSolver> model, Surrogate correction, double interval)
    : model_(std::move(model)), correction_(std::move(correction)), interval_(interval)
{
  const auto outputs = fields_of(correction_.outputs());
  for (const std::string& name : outputs)
    if (!name.ends_with(ending))
      throw OptionError({.doing = "correcting a model",
                         .where = correction_.description(),
                         .found = fmt::format("a surrogate that predicts {}", fmt::join(outputs, ", ")),
                         .expected = "fields that end in _increment",
                         .advice = "train one on the increments.h5 of `locum assimilate`"});
}

std::string CorrectedSolver::description() const
{
  return fmt::format("{}, corrected by {}", model_->description(), correction_.description());
}

Sample CorrectedSolver::advance(const Sample& state, double duration)
{
  const double intervals = duration / interval_;
  const auto count = static_cast<std::int64_t>(std::llround(intervals));
  if (count < 1 || std::abs(intervals - static_cast<double>(count)) > 1e-6)
    throw OptionError({.doing = "advancing a corrected model",
                       .where = description(),
                       .found = fmt::format("a duration of {}", duration),
                       .expected = fmt::format("a multiple of {}, which its increments are of", interval_),
                       .advice = ""});
  Sample now = state;
  for (std::int64_t i = 0; i < count; ++i) {
    const Sample change = correction_.solve(now);
    now = model_->advance(now, interval_);
    for (const auto& [name, field] : change.fields) {
      Tensor& values = now.fields[name.substr(0, name.size() - ending.size())].values;
      values = values + field.values.to(values.scalar_type());
    }
  }
  return now;
}

}  // namespace locum::operators
