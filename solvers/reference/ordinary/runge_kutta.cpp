#include "runge_kutta.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/core/parallel.hpp>
#include <locum/core/processors.hpp>

#include <algorithm>
#include <vector>

#include "../time_steps.hpp"

namespace locum::solvers {

namespace {

constexpr std::int64_t lanes = physics::OrdinaryEquation::lanes;

/// A variable of all lanes: a cache line, which none of them should cross.
struct alignas(lanes * sizeof(double)) Lanes {
  double of[lanes];
};

/// (a + 2 b + c − state) / 3: of the stages so far, what the last one is added to.
LOCUM_FOR_PROCESSORS void mean_of(const double* state, const double* a, const double* b, const double* c,
                                  std::int64_t count, double* __restrict out)
{
  for (std::int64_t i = 0; i < count; ++i) out[i] = (a[i] + 2 * b[i] + c[i] - state[i]) * (1.0 / 3);
}

/// Some steps of `lanes` states. @param memory  [5, variable, lane], the first holds the states
void run(const physics::OrdinaryEquation& equation, std::int64_t variables, double h, std::int64_t steps,
         double* memory)
{
  const std::int64_t count = variables * lanes;
  double *const state = memory, *const a = memory + count, *const b = a + count, *const c = b + count,
                *const mean = c + count;
  for (std::int64_t step = 0; step < steps; ++step) {
    equation.move(state, h / 2, state, variables, a);
    equation.move(state, h / 2, a, variables, b);
    equation.move(state, h, b, variables, c);
    mean_of(state, a, b, c, count, mean);
    equation.move(mean, h / 6, c, variables, state);
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
  if (needs_tensors(before))
    return advanced(equation_, state, run_in_tensors(equation_, before, grid, h, steps), duration, "step",
                    options_.step);

  Tensor after = before.to(torch::kFloat64).clone(torch::MemoryFormat::Contiguous);
  const std::int64_t members = after.size(0), variables = members > 0 ? after.numel() / members : 0;
  const std::int64_t groups = (members + lanes - 1) / lanes;
  const std::int64_t worth_a_thread = 4000 / (variables * steps) + 1;  // groups; starting threads takes some µs
  double* const states = after.data_ptr<double>();
  parallel_for(0, groups, worth_a_thread, [&](std::int64_t first, std::int64_t last) {
    std::vector<Lanes> memory(static_cast<std::size_t>(5 * variables));
    for (std::int64_t group = first; group < last; ++group) {
      const auto each = [&](const auto& body) {  // the last group is filled up with its last member
        for (std::int64_t lane = 0; lane < lanes; ++lane)
          for (std::int64_t v = 0; v < variables; ++v)
            body(memory[static_cast<std::size_t>(v)].of[lane],
                 states[std::min(group * lanes + lane, members - 1) * variables + v]);
      };
      each([](double& inside, double& outside) { inside = outside; });
      run(equation_, variables, h, steps, memory.data()->of);
      each([](double& inside, double& outside) { outside = inside; });
    }
  });
  return advanced(equation_, state, after.to(before.scalar_type()), duration, "step", options_.step);
}

}  // namespace locum::solvers
