#pragma once
#include <torch/torch.h>
#include <locum/core/random.hpp>

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

namespace locum::operators {

using torch::Tensor;

/// Frequencies kept along one axis: whole periods over its length, first and last included.
struct Band {
  std::int64_t lowest = 0;
  std::int64_t highest = 0;

  std::int64_t count() const noexcept { return highest - lowest + 1; }
};

/// Multiplies the lowest frequencies of a function by learned matrices and drops the rest: F⁻¹(R · F v).
///
/// Layout: [axis 0, …, batch, channel]. With space first and channels last each step is a product of contiguous
/// matrices, and nothing is copied in between: along axis 0 one product, along the others one for each frequency
/// already kept, then one for each mode, which mixes the channels of the whole batch.
///
/// Values being real, axis 0 keeps frequencies ≥ 0 only and the others follow as conjugates; axis 0 is the last axis
/// of a published FNO. The transform is evaluated as a product with the few rows of the Fourier matrix that are kept,
/// as an FFT would compute n frequencies to use m of them. Weights do not depend on the grid: the same function on
/// another grid gives the same function, to rounding, as long as the grid resolves both.
///
/// Double backward is supported. Matrices are cached by grid, so one module must not be evaluated by two threads at
/// the same time.
/// Source: Li et al., ICLR 2021, "Fourier layer".
class SpectralConvolution : public torch::nn::Module {
 public:
  /// Draws real and imaginary parts from N(0, 1 / (input_channels + output_channels)), which keeps the variance of
  /// what passes.
  /// @param bands  one for each axis, one to three; the first starts at 0
  SpectralConvolution(std::int64_t input_channels, std::int64_t output_channels, std::vector<Band> bands,
                      RandomStream& weights);

  /// @param values  [axis 0, …, batch, input_channels], float32 or float64
  /// @return        [axis 0, …, batch, output_channels], same type and device
  /// @throws ShapeError  if an axis has too few points to tell the kept frequencies apart.
  Tensor forward(const Tensor& values);

  const std::vector<Band>& bands() const noexcept { return bands_; }
  /// R: [mode 0, …, 2, input_channels, output_channels], real and imaginary part along the axis of length 2.
  const Tensor& weight() const noexcept { return weight_; }

 private:
  struct Matrices {
    Tensor analysis;   ///< [(mode, part), (part, point)], includes 1/n; one part of a point along axis 0
    Tensor synthesis;  ///< [(part, point), (mode, part)]
  };
  const Matrices& matrices(std::size_t axis, std::int64_t points, const torch::TensorOptions& type);

  std::vector<Band> bands_;
  Tensor weight_;
  std::map<std::tuple<std::size_t, std::int64_t, torch::ScalarType, std::string>, Matrices> matrices_;
};

/// The same by fast Fourier transforms: the definition, and what the tests hold SpectralConvolution against.
/// @param values  [axis 0, …, batch, input_channels]
/// @param weight  [mode 0, …, 2, input_channels, output_channels]
/// @return        [axis 0, …, batch, output_channels]
Tensor spectral_convolution_by_fft(const Tensor& values, const Tensor& weight, const std::vector<Band>& bands);

}  // namespace locum::operators
