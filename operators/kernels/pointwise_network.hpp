#pragma once
#include <cstdint>
#include <vector>

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

/// The points of a grid that a network is evaluated at, and where they are: input and output may be on a grid of more
/// points behind each axis.
struct NetworkPoints {
  std::int64_t batch;
  std::vector<std::int64_t> grid;    ///< (z, y,) x
  std::vector<std::int64_t> x_grid;  ///< The input's, none of its axes shorter.
  std::vector<std::int64_t> y_grid;  ///< The output's, likewise.

  /// @param count  points one after the other, in input and output
  static NetworkPoints in_a_row(std::int64_t count) { return {1, {count}, {count}, {count}}; }
};

/// y = W₂ σ(W₁ x + b₁) + b₂ at every point, σ the GELU; or W₂ x + b₂. Beyond the points y is 0.
/// @param x       [batch, point of x_grid, input]
/// @param y       [batch, point of y_grid, output]
/// @param before  [batch, point, hidden]: what goes into σ; null if it need not be kept
template <class T>
void network_forward(const Instructions<T>& run, int threads, const NetworkPoints& points, NetworkShape shape,
                     const NetworkArrays<const T>& weights, const T* x, T* y, T* before);

/// The gradients by the parameters and, if d_x is not null, by x.
/// @param before  from network_forward(), or null: it is computed again
template <class T>
void network_backward(const Instructions<T>& run, int threads, const NetworkPoints& points, NetworkShape shape,
                      const NetworkArrays<const T>& weights, const T* x, const T* before, const T* d_y,
                      const NetworkArrays<T>& gradients, T* d_x);

}  // namespace locum::operators::kernels
