#pragma once
#include <torch/torch.h>

namespace locum::tests {

/// ‖a − b‖ / ‖b‖ in float64 over all elements.
inline double relative_distance(const torch::Tensor& a, const torch::Tensor& b)
{
  const auto x = a.to(torch::kFloat64), y = b.to(torch::kFloat64);
  return ((x - y).norm() / y.norm()).item<double>();
}

}  // namespace locum::tests
