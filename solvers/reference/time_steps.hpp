#pragma once
#include <locum/core/sample.hpp>
#include <locum/physics/equation.hpp>

#include <cstdint>
#include <string>

namespace locum::solvers {

/// @throws OptionError  unless the longest step of an equation's solver is positive.
void require_step(const physics::Equation& equation, double step);

/// @throws OptionError  if a duration is not positive.
void require_duration(const physics::Equation& equation, double duration);

/// Equal steps that a duration is divided into, none longer than `longest` but for rounding.
/// @throws OptionError  if the duration is not positive.
std::int64_t steps_in(const physics::Equation& equation, double duration, double longest);

/// Whether a state is to be stepped in libtorch's operations, not in loops of our own: gradients are wanted, or it is
/// not on the CPU.
bool needs_tensors(const Tensor& state);

/// The fields of `state` with other values: [batch, channel, (z, y,) x], in the order of equation.state().
/// @param option, value  of the solver, that sets how long its steps are: "step", 0.01
/// @throws SolverError  naming the first member that is not finite
Sample advanced(const physics::EvolvingEquation& equation, const Sample& state, const Tensor& values, double duration,
                const char* option, double value);

}  // namespace locum::solvers
