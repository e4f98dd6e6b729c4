#include "step_residual.hpp"

namespace locum::physics {

Tensor step_residual(const EvolvingEquation& equation, const Tensor& before, const Tensor& after, const Grid& grid,
                     double interval)
{
  return (after - before) / interval - (equation.tendency(before, grid) + equation.tendency(after, grid)) / 2;
}

}  // namespace locum::physics
