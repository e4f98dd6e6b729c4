#pragma once
#include <torch/torch.h>
#include <locum/core/random.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

namespace locum::operators {

using torch::Tensor;

enum class Activation { gelu, relu, tanh };

constexpr auto option_names(Activation)
{
  return std::array{std::pair{Activation::gelu, "gelu"}, std::pair{Activation::relu, "relu"},
                    std::pair{Activation::tanh, "tanh"}};
}

/// σ(values), element by element; GELU is the exact one, x Φ(x).
Tensor activate(Activation activation, const Tensor& values);

/// The same affine map of channels at every point, W v + b: a 1×1 convolution.
class PointwiseLinear : public torch::nn::Module {
 public:
  /// Draws weight and bias from U(−1, 1) / √input_channels.
  PointwiseLinear(std::int64_t input_channels, std::int64_t output_channels, RandomStream& weights);

  /// @param values  […, input_channels]
  /// @return        […, output_channels]
  Tensor forward(const Tensor& values);

 private:
  Tensor weight_;  // [output_channels, input_channels]
  Tensor bias_;    // [output_channels]
};

/// The same small network at every point: W₂ σ(W₁ v + b₁) + b₂, or W v + b without a hidden layer.
class PointwiseNetwork : public torch::nn::Module {
 public:
  /// @param hidden_channels  0 for none
  PointwiseNetwork(std::int64_t input_channels, std::int64_t hidden_channels, std::int64_t output_channels,
                   Activation activation, RandomStream& weights);

  /// @param values  […, input_channels]
  /// @return        […, output_channels]
  Tensor forward(const Tensor& values);

 private:
  Activation activation_;
  std::shared_ptr<PointwiseLinear> hidden_;  // null without a hidden layer
  std::shared_ptr<PointwiseLinear> output_;
};

}  // namespace locum::operators
