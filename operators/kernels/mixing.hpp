#pragma once
#include <cstdint>
#include <vector>

#include "transform.hpp"

namespace locum::operators::kernels {

/// Multiplies each mode of a spectrum by its complex matrix, the whole batch at once, so that a matrix is read once.
///
/// Spectra as Transform has them; weights R [mode, 2, input, output] in the order of their own axes, the real and
/// imaginary part along the axis of length 2. With Y_k = w_k X_k R_k, w_k the transform's weight, synthesis of Y is the
/// spectral convolution. As real matrices: each (re, −im), (im, re) of X times the parts of R one above the other.
template <class T>
class Mixing {
 public:
  Mixing(const Transform<T>& transform, int threads, std::int64_t batch, std::int64_t input_channels,
         std::int64_t output_channels);

  /// y = w x R. By all threads of a team; modes are shared out, and a barrier must follow.
  /// @param bias  [output], or null; is added to the frequency 0 and so to every point
  void forward(const Instructions<T>& run, const Team& team, const T* R, const T* bias, const T* x, T* y);
  /// From x and the gradient by y: the gradients by R and by x. A null one is not computed.
  void backward(const Instructions<T>& run, const Team& team, const T* R, const T* x, const T* dy, T* dR, T* dx);

 private:
  const Transform<T>& transform_;
  std::int64_t batch_, inputs_, outputs_;
  std::vector<Array<T>> scratch_;  // one a thread
};

/// F⁻¹(R · F x), all modes but the kept ones dropped.
/// @param x         [batch, point, input]
/// @param y         [batch, point, output]
/// @param spectrum  [batch, mode, 2, input]: the analysis of x, which backward needs
/// @param room      [batch, mode, 2, output]
template <class T>
void convolve(const Instructions<T>& run, Transform<T>& transform, int threads, std::int64_t batch, std::int64_t inputs,
              std::int64_t outputs, const T* R, const T* x, T* y, T* spectrum, T* room);

/// The gradients by R and x; a null one is not computed.
/// @param room  [batch, mode, 2, input + output]
template <class T>
void convolve_backward(const Instructions<T>& run, Transform<T>& transform, int threads, std::int64_t batch,
                       std::int64_t inputs, std::int64_t outputs, const T* R, const T* spectrum, const T* dy, T* dR,
                       T* dx, T* room);

}  // namespace locum::operators::kernels
