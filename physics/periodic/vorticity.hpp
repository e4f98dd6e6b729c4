#pragma once
#include "periodic_equation.hpp"

namespace locum::physics {

/// Parts of FourierForm that vorticity equations share: flow in the plane, incompressible, without mean.
struct Velocity {
  Tensor x, y;  ///< Of the flow with vorticity exp(i k·x): −∂ψ/∂y and ∂ψ/∂x, Δψ = vorticity. [mode…]
};
/// @param inverse  what ψ̂ is of the vorticity, [mode…]; −1/|k|² for the Laplacian
Velocity velocity_of(const Grid& grid, const Tensor& inverse);
/// 1 / values, and 0 where these are 0.
Tensor inverse_or_zero(const Tensor& values);

}  // namespace locum::physics
