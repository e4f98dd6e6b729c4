#pragma once
#include <torch/torch.h>
#include <locum/core/random.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "kernel.hpp"
#include "kernels/transform.hpp"

namespace locum::operators {

using torch::Tensor;

/// The transforms between fields and their lowest frequencies that were needed so far: one a grid and type.
class TransformCache : public torch::CustomClassHolder {
 public:
  /// @param bands  one for each axis, the last axis of the grid first, as the weights have them
  explicit TransformCache(std::vector<Band> bands) : bands_(std::move(bands)) {}

  const std::vector<Band>& bands() const noexcept { return bands_; }
  /// The transform for fields of the shape of `values`: [batch, (z, y,) x, channel].
  template <class T>
  kernels::Transform<T>& of(const Tensor& values);
  /// Whether products with small matrices are expected to be faster than the fast Fourier transforms of libtorch.
  bool is_faster() const;

 private:
  template <class T>
  using Cache = std::map<std::vector<std::int64_t>, std::unique_ptr<kernels::Transform<T>>>;

  std::vector<Band> bands_;
  Cache<float> float_;
  Cache<double> double_;
};

/// Multiplies the lowest frequencies of a function by learned matrices and drops the rest: F⁻¹(R · F v).
///
/// Values being real, the last axis of the grid keeps frequencies ≥ 0 only and the others follow as conjugates. Weights
/// do not depend on the grid: the same function on another grid gives the same function, to rounding, as long as the
/// grid resolves both.
///
/// On the CPU the few frequencies are computed as products with small matrices (`kernels/transform.hpp`), as an FFT
/// would compute n of them to use m; on other devices, with Kernel::reference, and where so many are kept that it is
/// faster, by FFT. A second derivative takes the FFT. Transforms are cached by grid and share their room, so one module
/// must not be evaluated by two threads at the same time.
/// Source: Li et al., ICLR 2021, "Fourier layer".
class SpectralConvolution : public torch::nn::Module {
 public:
  /// Draws real and imaginary parts from N(0, 1 / (input_channels + output_channels)), which keeps the variance of
  /// what passes.
  /// @param transforms  of the frequencies kept; layers of the same bands may share them
  SpectralConvolution(std::int64_t input_channels, std::int64_t output_channels,
                      c10::intrusive_ptr<TransformCache> transforms, RandomStream& weights,
                      Kernel kernel = Kernel::automatic);

  /// @param values  [batch, (z, y,) x, input_channels], float32 or float64
  /// @return        [batch, (z, y,) x, output_channels], same type and device
  /// @throws ShapeError  if an axis has too few points to tell the kept frequencies apart.
  Tensor forward(const Tensor& values);

  /// Uses these frequencies alone, which are some of its own, lowest ones of every axis.
  /// @param clear  whether the weights of the others become 0
  void keep(c10::intrusive_ptr<TransformCache> kept, bool clear);

  /// R of the frequencies that are kept: [k_x, (k_y, (k_z,)) 2, input_channels, output_channels], real and imaginary
  /// part along the axis of length 2. Differentiable by the parameter, which has all.
  Tensor weight() const;

 private:
  c10::intrusive_ptr<TransformCache> transforms_;  // of the frequencies kept
  std::vector<Band> bands_;                        // of the parameter
  Kernel kernel_;
  Tensor weight_;
};

/// @throws ShapeError  if an axis of values [batch, (z, y,) x, channel] has too few points to tell frequencies apart.
void check_resolution(const Tensor& values, const std::vector<Band>& bands);

/// The same by fast Fourier transforms of libtorch: the definition, and what the tests hold the kernels against.
/// @param values  [batch, (z, y,) x, input_channels]
/// @param weight  [k_x, (k_y, (k_z,)) 2, input_channels, output_channels]
/// @param bands   one for each axis, x first
/// @return        [batch, (z, y,) x, output_channels]
Tensor spectral_convolution_by_fft(const Tensor& values, const Tensor& weight, const std::vector<Band>& bands);

}  // namespace locum::operators
