#include "pointwise.hpp"

namespace locum::operators {

Tensor activate(Activation activation, const Tensor& values)
{
  switch (activation) {
    case Activation::relu:
      return torch::relu(values);
    case Activation::tanh:
      return torch::tanh(values);
    case Activation::gelu:
      break;
  }
  return torch::gelu(values);
}

PointwiseLinear::PointwiseLinear(std::int64_t input_channels, std::int64_t output_channels, RandomStream& weights)
{
  const double bound = 1 / std::sqrt(static_cast<double>(input_channels));
  const auto draw = [&](torch::IntArrayRef shape) {
    return ((2 * weights.uniform(shape) - 1) * bound).to(torch::kFloat32);
  };
  weight_ = register_parameter("weight", draw({output_channels, input_channels}));
  bias_ = register_parameter("bias", draw({output_channels}));
}

Tensor PointwiseLinear::forward(const Tensor& values)
{
  // As a convolution of an image of one row, channels last: twice as fast here as the matrix product of BLAS.
  const Tensor image = values.reshape({values.size(0), 1, -1, values.size(-1)}).permute({0, 3, 1, 2});
  auto shape = values.sizes().vec();
  shape.back() = bias_.size(0);
  return torch::conv2d(image, weight_.unsqueeze(-1).unsqueeze(-1), bias_).permute({0, 2, 3, 1}).reshape(shape);
}

PointwiseNetwork::PointwiseNetwork(std::int64_t input_channels, std::int64_t hidden_channels,
                                   std::int64_t output_channels, Activation activation, RandomStream& weights)
    : activation_(activation)
{
  const auto linear = [&](std::int64_t from, std::int64_t to) {
    return std::make_shared<PointwiseLinear>(from, to, weights);
  };
  if (hidden_channels > 0) hidden_ = register_module("hidden", linear(input_channels, hidden_channels));
  output_ = register_module("output", linear(hidden_channels > 0 ? hidden_channels : input_channels, output_channels));
}

Tensor PointwiseNetwork::forward(const Tensor& values)
{
  return output_->forward(hidden_ ? activate(activation_, hidden_->forward(values)) : values);
}

}  // namespace locum::operators
