#include "time_steps.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <cmath>

namespace locum::solvers {

static void require_positive(const std::string& doing, const char* what, double value)
{
  if (!(value > 0) || std::isinf(value))
    throw OptionError({.doing = doing,
                       .where = what,
                       .found = fmt::format("{}", value),
                       .expected = "a positive number",
                       .advice = ""});
}

void require_step(const physics::Equation& equation, double step)
{
  require_positive(fmt::format("setting up the solver of equation {}", equation.name()), "solver.step", step);
}

void require_duration(const physics::Equation& equation, double duration)
{
  require_positive(fmt::format("advancing equation {}", equation.name()), "duration", duration);
}

std::int64_t steps_in(const physics::Equation& equation, double duration, double longest)
{
  require_duration(equation, duration);
  return static_cast<std::int64_t>(std::ceil(duration / longest * (1 - 1e-12)));
}

bool needs_tensors(const Tensor& state)
{
  return (torch::GradMode::is_enabled() && state.requires_grad()) || !state.device().is_cpu();
}

Sample advanced(const physics::EvolvingEquation& equation, const Sample& state, const Tensor& values, double duration,
                const char* option, double value)
{
  Sample result{.domain = state.domain,
                .fields = split_channels(values, describe_channels(state, equation.state())),
                .scalars = state.scalars,
                .time = state.time + duration};
  const Tensor finite = torch::isfinite(values).flatten(1).all(1);
  if (!finite.all().item<bool>())
    throw SolverError(
        {.doing = fmt::format("advancing equation {}", equation.name()),
         .where = fmt::format("member {}, between time {} and {}", (~finite).nonzero()[0].item<std::int64_t>(),
                              state.time, result.time),
         .found = "values that are not finite",
         .expected = "a bounded state",
         .advice = fmt::format("a shorter step, less than solver.{} = {}, or a finer grid", option, value)});
  return result;
}

}  // namespace locum::solvers
