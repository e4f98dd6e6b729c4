#include "runge_kutta.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <vector>

#include "time_steps.hpp"

namespace locum::solvers {

namespace {

/// Some steps of one member. @param memory  5 × variables
void run(const physics::OrdinaryEquation& equation, double* state, std::int64_t variables, double h, std::int64_t steps,
         double* memory)
{
  double* const stage = memory;
  double* rate[4];
  for (int i = 0; i < 4; ++i) rate[i] = memory + (i + 1) * variables;
  const auto move = [&](const double* along, double by) {
    for (std::int64_t i = 0; i < variables; ++i) stage[i] = state[i] + by * along[i];
  };
  for (std::int64_t step = 0; step < steps; ++step) {
    equation.tendency(state, variables, rate[0]);
    move(rate[0], h / 2);
    equation.tendency(stage, variables, rate[1]);
    move(rate[1], h / 2);
    equation.tendency(stage, variables, rate[2]);
    move(rate[2], h);
    equation.tendency(stage, variables, rate[3]);
    for (std::int64_t i = 0; i < variables; ++i)
      state[i] += h / 6 * (rate[0][i] + 2 * (rate[1][i] + rate[2][i]) + rate[3][i]);
  }
}

Tensor run_in_tensors(const physics::OrdinaryEquation& equation, Tensor state, const Grid& grid, double h,
                      std::int64_t steps)
{
  for (std::int64_t step = 0; step < steps; ++step) {
    const Tensor a = equation.tendency(state, grid);
    const Tensor b = equation.tendency(state + h / 2 * a, grid);
    const Tensor c = equation.tendency(state + h / 2 * b, grid);
    const Tensor d = equation.tendency(state + h * c, grid);
    state = state + h / 6 * (a + 2 * (b + c) + d);
  }
  return state;
}

}  // namespace

RungeKuttaSolver::RungeKuttaSolver(const physics::OrdinaryEquation& equation, RungeKuttaOptions options)
    : equation_(equation), options_(options)
{
  require_step(equation, options.step);
}

std::string RungeKuttaSolver::description() const
{
  return fmt::format("{}, Runge-Kutta 4, step {}", equation_.name(), options_.step);
}

Sample RungeKuttaSolver::advance(const Sample& state, double duration)
{
  const std::int64_t steps = steps_in(equation_, duration, options_.step);
  const double h = duration / static_cast<double>(steps);
  const Grid& grid = state.grid();
  const Tensor before = stack_channels(state, equation_.state());
  const bool differentiable = torch::GradMode::is_enabled() && before.requires_grad();
  if (differentiable || !before.device().is_cpu())
    return advanced(equation_, state, run_in_tensors(equation_, before, grid, h, steps), duration, options_.step);

  Tensor after = before.to(torch::kFloat64).clone(torch::MemoryFormat::Contiguous);
  const std::int64_t members = after.size(0), variables = members > 0 ? after.numel() / members : 0;
  const std::int64_t worth_a_thread = 20000 / (variables * steps) + 1;  // members; starting threads takes a few µs
  double* const states = after.data_ptr<double>();
  at::parallel_for(0, members, worth_a_thread, [&](std::int64_t first, std::int64_t last) {
    std::vector<double> memory(static_cast<std::size_t>(5 * variables));
    for (std::int64_t member = first; member < last; ++member)
      run(equation_, states + member * variables, variables, h, steps, memory.data());
  });
  return advanced(equation_, state, after.to(before.scalar_type()), duration, options_.step);
}

}  // namespace locum::solvers
