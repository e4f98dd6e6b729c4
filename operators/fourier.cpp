#include "fourier.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>
#include <locum/core/sample.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/fourier_layers.hpp"

namespace locum::operators {

// Inside, tensors are [batch, (z, y,) x, channel].

/// Scales features to mean 0 and variance 1.
class FeatureNormalisation : public torch::nn::Module {
 public:
  FeatureNormalisation(FeatureNorm kind, std::int64_t channels) : kind_(kind)
  {
    if (kind_ == FeatureNorm::group) {
      scale_ = register_parameter("scale", torch::ones(channels));
      shift_ = register_parameter("shift", torch::zeros(channels));
    }
  }

  Tensor forward(const Tensor& values)
  {
    if (kind_ == FeatureNorm::none) return values;
    const bool group = kind_ == FeatureNorm::group;
    std::vector<std::int64_t> over(static_cast<std::size_t>(values.dim() - 2));
    std::iota(over.begin(), over.end(), 1);
    if (group) over.push_back(values.dim() - 1);
    const auto [variance, mean] = torch::var_mean(values, over, /*unbiased=*/false, /*keepdim=*/true);
    constexpr double enough = 1e-5;  // keeps a constant channel finite; torch's and neuraloperator's value
    const Tensor normal = (values - mean) * (variance + enough).rsqrt();
    return group ? normal * scale_ + shift_ : normal;
  }

 private:
  FeatureNorm kind_;
  Tensor scale_, shift_;  // [channel], for group
};

/// One layer: spectral convolution, pointwise map and, if asked for, channel network with a gated skip.
class FourierLayer : public torch::nn::Module {
 public:
  FourierLayer(const FourierOptions& options, const c10::intrusive_ptr<TransformCache>& transforms, bool last,
               RandomStream& weights)
      : activation_(options.activation), activate_twice_(options.activate_twice), last_(last)
  {
    const std::int64_t width = options.width, hidden = options.channel_mlp_hidden;
    const auto norm = [&] { return std::make_shared<FeatureNormalisation>(options.norm, width); };
    spectral_ = register_module(
        "spectral", std::make_shared<SpectralConvolution>(width, width, transforms, weights, options.kernel));
    skip_ = register_module("skip", std::make_shared<PointwiseLinear>(width, width, weights, options.kernel));
    spectral_norm_ = register_module("spectral_norm", norm());
    if (hidden > 0) {
      mlp_ = register_module(
          "mlp", std::make_shared<PointwiseNetwork>(width, hidden, width, activation_, weights, options.kernel));
      gate_ = register_parameter("gate", torch::ones(width));
      mlp_norm_ = register_module("mlp_norm", norm());
    }
  }

  Tensor forward(const Tensor& u)
  {
    Tensor v = skip_->forward(u) + spectral_norm_->forward(spectral_->forward(u));
    if (!last_) v = activate(activation_, v);
    if (mlp_) v = mlp_norm_->forward(mlp_->forward(v) + gate_ * u);
    else if (!activate_twice_) return v;
    return last_ ? v : activate(activation_, v);
  }

  void keep(const c10::intrusive_ptr<TransformCache>& transforms, bool clear) { spectral_->keep(transforms, clear); }

  /// In the order of kernels::LayerArrays.
  std::vector<Tensor> arrays() const
  {
    std::vector<Tensor> all = {spectral_->weight(), skip_->weight(), skip_->bias()};
    if (mlp_)
      all.insert(all.end(), {mlp_->hidden().weight(), mlp_->hidden().bias(), mlp_->output().weight(),
                             mlp_->output().bias(), gate_});
    return all;
  }

 private:
  Activation activation_;
  bool activate_twice_;
  bool last_;
  std::shared_ptr<SpectralConvolution> spectral_;
  std::shared_ptr<PointwiseLinear> skip_;
  std::shared_ptr<FeatureNormalisation> spectral_norm_;
  std::shared_ptr<PointwiseNetwork> mlp_;  // null without
  Tensor gate_;                            // [channel]
  std::shared_ptr<FeatureNormalisation> mlp_norm_;
};

namespace {

/// What Layers needs to know besides tensors.
struct LayersPlan : torch::CustomClassHolder {
  c10::intrusive_ptr<TransformCache> transforms;
  c10::intrusive_ptr<Workspace> workspace;
  std::size_t layers = 0;
  std::int64_t hidden = 0;
  bool activate_twice = false;
  bool differentiates = false;  ///< Whether backward() may be called.
};

/// All layers of a Fourier operator at once. Arguments: the field, then FourierLayer::arrays() of each layer.
class Layers : public torch::autograd::Function<Layers> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, at::TensorList inputs,
                        const c10::intrusive_ptr<LayersPlan>& plan)
  {
    const Tensor u = inputs[0].contiguous(), result = plan->workspace->take(u);
    Tensor saved;
    with_type_of(u, [&]<class T>(T) {
      auto layers = kernel<T>(*plan, u, inputs);
      const Tensor room = plan->workspace->take({layers.room_size()}, u.options());
      if (plan->differentiates) saved = plan->workspace->take({layers.saved_size()}, u.options());
      layers.forward(u.data_ptr<T>(), result.data_ptr<T>(), plan->differentiates ? saved.data_ptr<T>() : nullptr,
                     room.data_ptr<T>());
    });
    auto kept = inputs.vec();
    kept.push_back(saved);
    context->save_for_backward(kept);
    context->saved_data["plan"] = c10::IValue::make_capsule(plan);
    return result;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list d_result)
  {
    auto inputs = context->get_saved_variables();
    const auto plan = c10::static_intrusive_pointer_cast<LayersPlan>(context->saved_data["plan"].toCapsule());
    const Tensor saved = inputs.back();
    inputs.pop_back();
    torch::autograd::variable_list gradients;
    if (torch::GradMode::is_enabled()) {
      gradients = differentiate(inputs, d_result[0], [&](const auto& all) { return by_libtorch(*plan, all); });
      gradients.emplace_back();
      return gradients;
    }
    const Tensor u = inputs[0].contiguous(), d = d_result[0].contiguous();
    for (const Tensor& input : inputs)
      gradients.push_back(gradients.empty()       ? plan->workspace->take(input.sizes(), d.options())
                          : input.requires_grad() ? torch::empty(input.sizes(), d.options())
                                                  : Tensor());
    with_type_of(u, [&]<class T>(T) {
      auto layers = kernel<T>(*plan, u, inputs);
      const Tensor room = plan->workspace->take({layers.room_size()}, u.options());
      layers.backward(u.data_ptr<T>(), d.data_ptr<T>(), saved.data_ptr<T>(), room.data_ptr<T>(),
                      gradients[0].data_ptr<T>(), arrays<T>(*plan, gradients));
    });
    gradients.emplace_back();
    return gradients;
  }

 private:
  template <class T>
  static std::vector<kernels::LayerArrays<T>> arrays(const LayersPlan& plan, at::TensorList tensors)
  {
    std::vector<kernels::LayerArrays<T>> all;
    auto next = tensors.begin() + 1;
    const auto take = [&] {
      const Tensor& t = *next++;
      return t.defined() ? t.data_ptr<T>() : nullptr;
    };
    for (std::size_t l = 0; l < plan.layers; ++l) {
      kernels::LayerArrays<T> layer;
      layer.spectral = take();
      layer.skip = take();
      layer.skip_bias = take();
      if (plan.hidden > 0) {
        layer.hidden = take();
        layer.hidden_bias = take();
        layer.output = take();
        layer.output_bias = take();
        layer.gate = take();
      }
      all.push_back(layer);
    }
    return all;
  }

  template <class T>
  static kernels::FourierLayers<T> kernel(const LayersPlan& plan, const Tensor& u, at::TensorList tensors)
  {
    return {plan.transforms->of<T>(u), at::get_num_threads(),   u.size(0), u.size(-1), plan.hidden,
            plan.activate_twice,       arrays<T>(plan, tensors)};
  }

  /// The same by libtorch's operations: see FourierLayer.
  static Tensor by_libtorch(const LayersPlan& plan, const std::vector<Tensor>& tensors)
  {
    Tensor u = tensors[0];
    auto next = tensors.begin() + 1;
    for (std::size_t l = 0; l < plan.layers; ++l) {
      const bool last = l + 1 == plan.layers;
      Tensor v = spectral_convolution_by_fft(u, next[0], plan.transforms->bands()) + torch::linear(u, next[1], next[2]);
      next += 3;
      if (!last) v = torch::gelu(v);
      if (plan.hidden > 0) {
        v = torch::linear(torch::gelu(torch::linear(v, next[0], next[1])), next[2], next[3]) + next[4] * u;
        next += 5;
      }
      if (!last && (plan.hidden > 0 || plan.activate_twice)) v = torch::gelu(v);
      u = v;
    }
    return u;
  }
};

}  // namespace

static void check(const FourierOptions& options)
{
  const auto require = [](bool fine, const std::string& name, const std::string& found, const std::string& expected,
                          const std::string& advice) {
    if (!fine)
      throw OptionError({.doing = "building the Fourier operator",
                         .where = name,
                         .found = found,
                         .expected = expected,
                         .advice = advice});
  };
  const auto positive = [&](const std::string& name, std::int64_t value, std::int64_t usual) {
    require(value > 0, name, fmt::format("{}", value), "a positive number", fmt::format("{} = {}", name, usual));
  };
  const auto not_negative = [&](const std::string& name, auto value) {
    require(value >= 0, name, fmt::format("{}", value), "a number not below 0", fmt::format("{} = 0", name));
  };
  const FourierOptions usual;
  const std::string modes = fmt::format("[{}]", fmt::join(options.modes, ", "));
  require(options.modes.size() >= 1 && options.modes.size() <= 3, "modes", modes,
          "one entry for each axis of the grid, one to three", "modes = [12, 12] for a grid of two axes");
  for (const std::int64_t m : options.modes)
    require(m > 0, "modes", modes, "positive numbers", "modes = [12, 12] for a grid of two axes");
  positive("width", options.width, usual.width);
  positive("layers", options.layers, usual.layers);
  not_negative("lifting_hidden", options.lifting_hidden);
  not_negative("projection_hidden", options.projection_hidden);
  not_negative("channel_mlp_hidden", options.channel_mlp_hidden);
  not_negative("padding", options.padding);
  const bool fusible = options.activation == Activation::gelu && options.norm == FeatureNorm::none;
  require(options.kernel != Kernel::fused || fusible, "kernel",
          options.activation == Activation::gelu ? "fused with a norm" : "fused with another activation than gelu",
          "what the kernels have: activation gelu, norm none", "kernel = \"auto\"");
}

/// The frequencies kept, last axis of the grid first, as SpectralConvolution takes them.
static std::vector<Band> bands_of(const FourierOptions& options)
{
  std::vector<Band> bands;
  for (auto m = options.modes.rbegin(); m != options.modes.rend(); ++m) {
    const bool half = bands.empty();
    if (options.mode_count == ModeCount::per_side) bands.push_back({half ? 0 : -*m, *m - 1});
    else bands.push_back({half ? 0 : -(*m / 2), half ? *m / 2 : (*m + 1) / 2 - 1});
  }
  return bands;
}

FourierOperator::FourierOperator(FourierOptions options, std::int64_t input_channels, std::int64_t output_channels,
                                 RandomStream weights)
    : options_(std::move(options)), input_channels_(input_channels)
{
  check(options_);
  transforms_ = c10::make_intrusive<TransformCache>(bands_of(options_));
  const std::int64_t lifted = input_channels + (options_.coordinates ? std::ssize(options_.modes) : 0);
  const auto network = [&](std::int64_t from, std::int64_t hidden, std::int64_t to) {
    return std::make_shared<PointwiseNetwork>(from, hidden, to, options_.activation, weights, options_.kernel);
  };
  lifting_ = register_module("lifting", network(lifted, options_.lifting_hidden, options_.width));
  for (std::int64_t l = 0; l < options_.layers; ++l) {
    auto layer = std::make_shared<FourierLayer>(options_, transforms_, l + 1 == options_.layers, weights);
    layers_.push_back(register_module(fmt::format("layer_{}", l), std::move(layer)));
  }
  projection_ = register_module("projection", network(options_.width, options_.projection_hidden, output_channels));
}

void FourierOperator::keep_modes(double part, bool clear)
{
  FourierOptions kept = options_;
  for (auto& modes : kept.modes) modes = std::max<std::int64_t>(1, std::lround(part * static_cast<double>(modes)));
  transforms_ = c10::make_intrusive<TransformCache>(bands_of(kept));
  for (const auto& layer : layers_) layer->keep(transforms_, clear);
}

/// i/n along each axis as a channel, the slowest axis first: [1, (z, y,) x, axis] for values [batch, (z, y,) x,
/// channel].
static Tensor positions_of(const Tensor& values)
{
  const c10::InferenceMode ordinary(false);  // kept, and maybe used where gradients are asked for
  const std::int64_t axes = values.dim() - 2;
  auto shape = values.sizes().vec();
  shape.front() = shape.back() = 1;
  std::vector<Tensor> parts;
  for (std::int64_t axis = 1; axis <= axes; ++axis) {
    std::vector<std::int64_t> along(static_cast<std::size_t>(values.dim()), 1);
    along[static_cast<std::size_t>(axis)] = values.size(axis);
    const Tensor position = torch::arange(values.size(axis), torch::kFloat64) / values.size(axis);
    parts.push_back(position.to(values.options()).view(along).expand(shape));
  }
  return torch::cat(parts, -1);
}

Tensor FourierOperator::with_coordinates(const Tensor& values)
{
  const auto grid = [](const Tensor& t) { return t.sizes().slice(1, static_cast<std::size_t>(t.dim() - 2)); };
  const bool fits = positions_.defined() && grid(positions_) == grid(values) &&
                    positions_.scalar_type() == values.scalar_type() && positions_.device() == values.device();
  if (!fits) positions_ = positions_of(values);
  auto shape = values.sizes().vec();
  shape.back() = std::ssize(options_.modes);
  return torch::cat({values, positions_.expand(shape)}, -1);
}

bool FourierOperator::fuses_layers(const Tensor& values) const
{
  if (options_.kernel == Kernel::reference || options_.activation != Activation::gelu ||
      options_.norm != FeatureNorm::none)
    return false;
  if (options_.kernel == Kernel::automatic) return kernels_take(values) && transforms_->is_faster();
  if (!kernels_take(values))
    throw OptionError({.doing = "evaluating the Fourier operator",
                       .where = "model.kernel",
                       .found = fmt::format("fused, and an input on {}", values.device().str()),
                       .expected = "an input on the CPU, float32 or float64",
                       .advice = "kernel = \"auto\""});
  return true;
}

Tensor FourierOperator::layers_in_one(const Tensor& values)
{
  check_resolution(values, transforms_->bands());
  auto plan = c10::make_intrusive<LayersPlan>();
  plan->transforms = transforms_;
  plan->workspace = workspace_;
  plan->layers = layers_.size();
  plan->hidden = options_.channel_mlp_hidden;
  plan->activate_twice = options_.activate_twice;
  torch::autograd::variable_list inputs = {values};
  for (const auto& layer : layers_) {
    const auto arrays = layer->arrays();
    inputs.insert(inputs.end(), arrays.begin(), arrays.end());
  }
  plan->differentiates = will_differentiate(inputs);
  return Layers::apply(at::TensorList(inputs), plan);  // the one kind of list that apply() looks into
}

Tensor FourierOperator::forward(const Tensor& input)
{
  const std::int64_t axes = std::ssize(options_.modes);
  if (input.dim() != axes + 2 || input.size(1) != input_channels_)
    throw ShapeError({.doing = "evaluating the Fourier operator",
                      .where = "its input",
                      .found = to_string(input.sizes()),
                      .expected = fmt::format("[batch, {}, {}]: {} channels on a grid of {} axes", input_channels_,
                                              axes == 1   ? "x"
                                              : axes == 2 ? "y, x"
                                                          : "z, y, x",
                                              input_channels_, axes),
                      .advice = input.dim() == axes + 2
                                    ? "the fields the model was built for"
                                    : fmt::format("modes with {} {}, one for each axis", input.dim() - 2,
                                                  input.dim() == 3 ? "entry" : "entries")});

  Tensor v = input.movedim(1, -1);
  if (options_.coordinates) v = with_coordinates(v);
  const std::vector<std::int64_t> grid = grid_of(v);
  std::vector<std::int64_t> padded;
  for (const std::int64_t points : grid)
    padded.push_back(points + std::lround(options_.padding * static_cast<double>(points)));
  v = lifting_->forward(v.contiguous(), padded);
  if (fuses_layers(v)) v = layers_in_one(v);
  else
    for (const auto& layer : layers_) v = layer->forward(v);
  return projection_->forward(v, grid).movedim(-1, 1).contiguous();
}

}  // namespace locum::operators
