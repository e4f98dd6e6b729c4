#pragma once
#include <cstdint>

#include "instructions.hpp"

namespace locum::operators::kernels {

struct NetworkShape {
  std::int64_t inputs;
  std::int64_t hidden;  ///< 0: no hidden layer.
  std::int64_t outputs;
};

/// Parameters of a network of channels, or the gradients by them.
template <class T>
struct NetworkArrays {
  T* hidden = nullptr;       ///< [hidden, input]; null without a hidden layer
  T* hidden_bias = nullptr;  ///< [hidden]
  T* output = nullptr;       ///< [output, hidden or input]
  T* output_bias = nullptr;  ///< [output]
};

/// y = W₂ σ(W₁ x + b₁) + b₂ at every point, σ the GELU; or W₂ x + b₂.
/// @param x  [point, input]
/// @param y  [point, output]
template <class T>
void network_forward(const Instructions<T>& run, int threads, std::int64_t points, NetworkShape shape,
                     const NetworkArrays<const T>& weights, const T* x, T* y);

/// The gradients by the parameters and, if d_x is not null, by x.
template <class T>
void network_backward(const Instructions<T>& run, int threads, std::int64_t points, NetworkShape shape,
                      const NetworkArrays<const T>& weights, const T* x, const T* d_y,
                      const NetworkArrays<T>& gradients, T* d_x);

}  // namespace locum::operators::kernels
