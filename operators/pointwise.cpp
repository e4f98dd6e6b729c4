#include "pointwise.hpp"

#include <algorithm>

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

/// Values on a grid of other size: zeros are added behind each axis, or what is too much is left out.
Tensor on_grid(const Tensor& values, const std::vector<std::int64_t>& grid)
{
  std::vector<std::int64_t> amounts = {0, 0};  // channel, x, …: last axis first, as libtorch expects
  for (std::size_t axis = grid.size(); axis > 0; --axis)
    amounts.insert(amounts.end(), {0, grid[axis - 1] - values.size(static_cast<std::int64_t>(axis))});
  return grid.empty() || grid == grid_of(values) ? values : torch::constant_pad_nd(values, amounts);
}

/// The network by our kernels. Arguments: values, then W₁, b₁ if there is a hidden layer, then W₂, b₂.
class Network : public torch::autograd::Function<Network> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, at::TensorList inputs,
                        const std::vector<std::int64_t>& grid, bool differentiates,
                        const c10::intrusive_ptr<Workspace>& workspace)
  {
    const Tensor x = inputs[0].contiguous();
    const auto network = shape_of(inputs);
    const auto points = points_of(x, grid);
    auto shape = x.sizes().vec();
    std::copy(grid.begin(), grid.end(), shape.begin() + 1);
    shape.back() = network.outputs;
    const Tensor y = workspace->take(shape, x.options());
    constexpr std::int64_t many = 24;  // inputs: to read what they make of them costs less than to compute it again
    Tensor before;
    if (differentiates && network.hidden > 0 && network.inputs >= many) {
      std::copy(points.grid.begin(), points.grid.end(), shape.begin() + 1);
      shape.back() = network.hidden;
      before = workspace->take(shape, x.options());
    }
    with_type_of(x, [&]<class T>(T) {
      kernels::network_forward<T>(kernels::instructions<T>(), at::get_num_threads(), points, network,
                                  arrays<const T>(inputs), x.data_ptr<T>(), y.data_ptr<T>(),
                                  before.defined() ? before.data_ptr<T>() : nullptr);
    });
    auto kept = inputs.vec();
    kept.push_back(before);
    context->save_for_backward(kept);
    context->saved_data["grid"] = grid;
    context->saved_data["workspace"] = c10::IValue::make_capsule(workspace);
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list d_result)
  {
    auto inputs = context->get_saved_variables();
    const Tensor before = inputs.back();
    inputs.pop_back();
    const auto grid = context->saved_data["grid"].toIntVector();
    torch::autograd::variable_list gradients;
    if (torch::GradMode::is_enabled()) {
      gradients = differentiate(inputs, d_result[0], [&](const auto& all) { return by_libtorch(all, grid); });
      gradients.resize(gradients.size() + 3);
      return gradients;
    }
    const auto workspace = c10::static_intrusive_pointer_cast<Workspace>(context->saved_data["workspace"].toCapsule());
    const Tensor x = inputs[0].contiguous(), d = d_result[0].contiguous();
    for (const Tensor& input : inputs)
      gradients.push_back(!input.requires_grad() ? Tensor()
                          : gradients.empty()    ? workspace->take(input.sizes(), d.options())
                                                 : torch::empty(input.sizes(), d.options()));
    with_type_of(x, [&]<class T>(T) {
      kernels::network_backward<T>(kernels::instructions<T>(), at::get_num_threads(), points_of(x, grid),
                                   shape_of(inputs), arrays<const T>(inputs), x.data_ptr<T>(),
                                   before.defined() ? before.data_ptr<T>() : nullptr, d.data_ptr<T>(),
                                   arrays<T>(gradients), gradients[0].defined() ? gradients[0].data_ptr<T>() : nullptr);
    });
    gradients.resize(gradients.size() + 3);
    return gradients;
  }

 private:
  /// @param result  the grid of the result
  static kernels::NetworkPoints points_of(const Tensor& x, const std::vector<std::int64_t>& result)
  {
    const auto from = grid_of(x);
    auto both = from;
    for (std::size_t axis = 0; axis < both.size(); ++axis) both[axis] = std::min(from[axis], result[axis]);
    return {x.size(0), both, from, result};
  }

  static kernels::NetworkShape shape_of(at::TensorList inputs)
  {
    return {.inputs = inputs[1].size(1),
            .hidden = inputs.size() > 3 ? inputs[1].size(0) : 0,
            .outputs = inputs.back().size(0)};
  }

  /// @param tensors  as the arguments; undefined ones become null
  template <class T>
  static kernels::NetworkArrays<T> arrays(at::TensorList tensors)
  {
    const auto pointer = [&](std::size_t i) -> T* {
      return tensors[i].defined() ? tensors[i].template data_ptr<std::remove_const_t<T>>() : nullptr;
    };
    if (tensors.size() > 3) return {pointer(1), pointer(2), pointer(3), pointer(4)};
    return {.hidden = nullptr, .hidden_bias = nullptr, .output = pointer(1), .output_bias = pointer(2)};
  }

  static Tensor by_libtorch(const torch::autograd::variable_list& inputs, const std::vector<std::int64_t>& grid)
  {
    const Tensor first = torch::linear(inputs[0], inputs[1], inputs[2]);
    return on_grid(inputs.size() > 3 ? torch::linear(torch::gelu(first), inputs[3], inputs[4]) : first, grid);
  }
};

Tensor by_kernel(const std::vector<Tensor>& inputs, const std::vector<std::int64_t>& grid,
                 const c10::intrusive_ptr<Workspace>& workspace)
{
  // at::TensorList is the one kind of list that apply() looks into.
  return Network::apply(at::TensorList(inputs), grid.empty() ? grid_of(inputs[0]) : grid, will_differentiate(inputs),
                        workspace);
}

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

Tensor PointwiseLinear::forward(const Tensor& values, const std::vector<std::int64_t>& grid)
{
  if (kernel_ != Kernel::reference && kernels_take(values))
    return by_kernel({values, weight_, bias_}, grid, workspace_);
  return on_grid(torch::linear(values, weight_, bias_), grid);
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

Tensor PointwiseNetwork::forward(const Tensor& values, const std::vector<std::int64_t>& grid)
{
  if (!hidden_) return output_->forward(values, grid);
  if (kernel_ != Kernel::reference && activation_ == Activation::gelu && kernels_take(values))
    return by_kernel({values, hidden_->weight(), hidden_->bias(), output_->weight(), output_->bias()}, grid,
                     workspace_);
  return output_->forward(activate(activation_, hidden_->forward(values)), grid);
}

}  // namespace locum::operators
