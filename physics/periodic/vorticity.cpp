#include "vorticity.hpp"

namespace locum::physics {

Tensor inverse_or_zero(const Tensor& values)
{
  return torch::where(values == 0, torch::zeros_like(values),
                      1 / torch::where(values == 0, torch::ones_like(values), values));
}

Velocity velocity_of(const Grid& grid, const Tensor& inverse)
{
  return {.x = -derivative(grid, 0) * inverse, .y = derivative(grid, 1) * inverse};
}

}  // namespace locum::physics
