#pragma once
#include "equation.hpp"

namespace locum::physics {

/// The derivative of a steady equation's residual by the solution, along a direction: lim (F(u + ε v) − F(u)) / ε.
/// @param solution, direction  the same fields; those of `direction` that are missing are zero
/// @return  as SteadyEquation::residual()
Tensor jacobian_action(const SteadyEquation& equation, const Sample& problem, const Sample& solution,
                       const Sample& direction);

/// The same of an evolving equation's tendency.
/// @param state, direction  [batch, channel, (z, y,) x]
Tensor jacobian_action(const EvolvingEquation& equation, const Tensor& state, const Tensor& direction,
                       const Grid& grid);

}  // namespace locum::physics
