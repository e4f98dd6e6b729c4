#include "pointwise.hpp"

#include "kernels/pointwise_network.hpp"

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

namespace {

/// Parameters in the order W₁, b₁, W₂, b₂; the first two undefined without a hidden layer.
using Parameters = std::array<Tensor, 4>;

Tensor by_libtorch(const Tensor& values, const Tensor& W1, const Tensor& b1, const Tensor& W2, const Tensor& b2)
{
  return torch::linear(W1.defined() ? torch::gelu(torch::linear(values, W1, b1)) : values, W2, b2);
}

class Network : public torch::autograd::Function<Network> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& values, const Tensor& W1,
                        const Tensor& b1, const Tensor& W2, const Tensor& b2)
  {
    const Tensor x = values.contiguous();
    auto shape = x.sizes().vec();
    shape.back() = W2.size(0);
    const Tensor y = torch::empty(shape, x.options());
    with_type_of(x, [&]<class T>(T) {
      kernels::network_forward<T>(kernels::instructions<T>(), at::get_num_threads(), x.numel() / x.size(-1),
                                  shape_of(W1, W2), arrays<const T>({W1, b1, W2, b2}), x.data_ptr<T>(),
                                  y.data_ptr<T>());
    });
    context->save_for_backward({values, W1, b1, W2, b2});
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list d_result)
  {
    const auto saved = context->get_saved_variables();
    if (torch::GradMode::is_enabled())
      return differentiate(saved, d_result[0], [](const auto& in) {
        return by_libtorch(in[0], in[1], in[2], in[3], in[4]);
      });
    const Tensor x = saved[0].contiguous(), d = d_result[0].contiguous();
    torch::autograd::variable_list gradients;
    for (const Tensor& input : saved)
      gradients.push_back(input.defined() && input.requires_grad() ? torch::empty(input.sizes(), d.options()) : Tensor());
    with_type_of(x, [&]<class T>(T) {
      kernels::network_backward<T>(
          kernels::instructions<T>(), at::get_num_threads(), x.numel() / x.size(-1), shape_of(saved[1], saved[3]),
          arrays<const T>({saved[1], saved[2], saved[3], saved[4]}), x.data_ptr<T>(), d.data_ptr<T>(),
          arrays<T>({gradients[1], gradients[2], gradients[3], gradients[4]}),
          gradients[0].defined() ? gradients[0].data_ptr<T>() : nullptr);
    });
    return gradients;
  }

 private:
  static kernels::NetworkShape shape_of(const Tensor& W1, const Tensor& W2)
  {
    const bool hidden = W1.defined();
    return {.inputs = hidden ? W1.size(1) : W2.size(1), .hidden = hidden ? W1.size(0) : 0, .outputs = W2.size(0)};
  }

  template <class T>
  static kernels::NetworkArrays<T> arrays(const Parameters& tensors)
  {
    const auto pointer = [](const Tensor& t) -> T* {
      return t.defined() ? t.data_ptr<std::remove_const_t<T>>() : nullptr;
    };
    return {pointer(tensors[0]), pointer(tensors[1]), pointer(tensors[2]), pointer(tensors[3])};
  }
};

}  // namespace

PointwiseLinear::PointwiseLinear(std::int64_t input_channels, std::int64_t output_channels, RandomStream& weights,
                                 Kernel kernel)
    : kernel_(kernel)
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
  if (kernel_ != Kernel::reference && kernels_take(values)) return Network::apply(values, Tensor(), Tensor(), weight_, bias_);
  return torch::linear(values, weight_, bias_);
}

PointwiseNetwork::PointwiseNetwork(std::int64_t input_channels, std::int64_t hidden_channels,
                                   std::int64_t output_channels, Activation activation, RandomStream& weights,
                                   Kernel kernel)
    : activation_(activation), kernel_(kernel)
{
  const auto linear = [&](std::int64_t from, std::int64_t to) {
    return std::make_shared<PointwiseLinear>(from, to, weights, kernel);
  };
  if (hidden_channels > 0) hidden_ = register_module("hidden", linear(input_channels, hidden_channels));
  output_ = register_module("output", linear(hidden_channels > 0 ? hidden_channels : input_channels, output_channels));
}

Tensor PointwiseNetwork::forward(const Tensor& values)
{
  if (!hidden_) return output_->forward(values);
  if (kernel_ != Kernel::reference && activation_ == Activation::gelu && kernels_take(values))
    return Network::apply(values, hidden_->weight(), hidden_->bias(), output_->weight(), output_->bias());
  return output_->forward(activate(activation_, hidden_->forward(values)));
}

}  // namespace locum::operators
