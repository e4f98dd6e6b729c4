#pragma once
#include "equation.hpp"

namespace locum::physics {

/// What is left of the trapezoidal rule when a state is followed by another,
///     (u₁ − u₀) / Δt − ½ (f(u₀) + f(u₁)),   f the tendency.
/// Of the exact solution Δt² ∂³u/∂t³ / 12 is left: it judges steps in which the state changes little. Differentiable.
/// @param before, after  u₀ and u₁, fields of state() side by side, [batch, channel, (z, y,) x]
/// @param interval       Δt, in the equation's unit of time
/// @return  the same shape
Tensor step_residual(const EvolvingEquation& equation, const Tensor& before, const Tensor& after, const Grid& grid,
                     double interval);

}  // namespace locum::physics
