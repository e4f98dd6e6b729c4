#pragma once
#include <torch/torch.h>

#include <cmath>

/// What formulas at points need that numbers and tensors spell differently, so that they are written once for both.
namespace locum::physics::point_values {

inline double choose(bool condition, double yes, double no) { return condition ? yes : no; }
inline double larger(double a, double b) { return a > b ? a : b; }
inline double smaller(double a, double b) { return a < b ? a : b; }
inline double root(double a) { return std::sqrt(a); }
inline double size_of(double a) { return std::fabs(a); }

inline torch::Tensor as(const torch::Tensor&, const torch::Tensor& value) { return value; }
inline torch::Tensor as(const torch::Tensor& other, double value) { return torch::full({}, value, other.options()); }

template <class Yes, class No>
torch::Tensor choose(const torch::Tensor& condition, const Yes& yes, const No& no)
{
  if constexpr (std::is_same_v<Yes, torch::Tensor>) return torch::where(condition, yes, as(yes, no));
  else return torch::where(condition, as(no, yes), no);
}
template <class Other>
torch::Tensor larger(const torch::Tensor& a, const Other& b)
{
  return torch::maximum(a, as(a, b));
}
template <class Other>
torch::Tensor smaller(const torch::Tensor& a, const Other& b)
{
  return torch::minimum(a, as(a, b));
}
inline torch::Tensor root(const torch::Tensor& a) { return a.sqrt(); }
inline torch::Tensor size_of(const torch::Tensor& a) { return a.abs(); }

}  // namespace locum::physics::point_values
