#pragma once
#include <torch/torch.h>
#include <locum/core/random.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "kernel.hpp"
#include "workspace.hpp"

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
  PointwiseLinear(std::int64_t input_channels, std::int64_t output_channels, RandomStream& weights,
                  Kernel kernel = Kernel::automatic);

  /// @param values  [batch, (z, y,) x, input_channels]
  /// @param grid    (z, y,) x of the result: zeros are added behind each axis, or what is too much is left out; {}: the
  ///                grid of `values`
  /// @return        [batch, (z, y,) x, output_channels]
  Tensor forward(const Tensor& values, const std::vector<std::int64_t>& grid = {});

  const Tensor& weight() const noexcept { return weight_; }  ///< [output_channels, input_channels]
  const Tensor& bias() const noexcept { return bias_; }      ///< [output_channels]

 private:
  Kernel kernel_;
  c10::intrusive_ptr<Workspace> workspace_ = c10::make_intrusive<Workspace>();
  Tensor weight_;
  Tensor bias_;
};

/// The same small network at every point: W₂ σ(W₁ v + b₁) + b₂, or W v + b without a hidden layer.
///
/// With GELU and on the CPU a block of points goes through all of it while it is in the cache, forward and backward;
/// else the maps are libtorch's. A second derivative takes the latter.
class PointwiseNetwork : public torch::nn::Module {
 public:
  /// @param hidden_channels  0 for none
  PointwiseNetwork(std::int64_t input_channels, std::int64_t hidden_channels, std::int64_t output_channels,
                   Activation activation, RandomStream& weights, Kernel kernel = Kernel::automatic);

  /// As PointwiseLinear::forward().
  Tensor forward(const Tensor& values, const std::vector<std::int64_t>& grid = {});

  const PointwiseLinear& hidden() const noexcept { return *hidden_; }  ///< Of a network that has one.
  const PointwiseLinear& output() const noexcept { return *output_; }

 private:
  Activation activation_;
  Kernel kernel_;
  c10::intrusive_ptr<Workspace> workspace_ = c10::make_intrusive<Workspace>();
  std::shared_ptr<PointwiseLinear> hidden_;  // null without a hidden layer
  std::shared_ptr<PointwiseLinear> output_;
};

}  // namespace locum::operators
