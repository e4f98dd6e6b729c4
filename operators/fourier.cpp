#include "fourier.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>
#include <locum/core/sample.hpp>

namespace locum::operators {

// Inside, tensors are [x, (y, (z,)) batch, channel]: see SpectralConvolution.

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
    std::iota(over.begin(), over.end(), 0);
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
  FourierLayer(const FourierOptions& options, const std::vector<Band>& bands, bool last, RandomStream& weights)
      : activation_(options.activation), activate_twice_(options.activate_twice), last_(last)
  {
    const std::int64_t width = options.width, hidden = options.channel_mlp_hidden;
    const auto norm = [&] { return std::make_shared<FeatureNormalisation>(options.norm, width); };
    spectral_ = register_module("spectral", std::make_shared<SpectralConvolution>(width, width, bands, weights));
    skip_ = register_module("skip", std::make_shared<PointwiseLinear>(width, width, weights));
    spectral_norm_ = register_module("spectral_norm", norm());
    if (hidden > 0) {
      mlp_ = register_module("mlp", std::make_shared<PointwiseNetwork>(width, hidden, width, activation_, weights));
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
  const std::int64_t lifted = input_channels + (options_.coordinates ? std::ssize(options_.modes) : 0);
  const auto network = [&](std::int64_t from, std::int64_t hidden, std::int64_t to) {
    return std::make_shared<PointwiseNetwork>(from, hidden, to, options_.activation, weights);
  };
  lifting_ = register_module("lifting", network(lifted, options_.lifting_hidden, options_.width));
  for (std::int64_t l = 0; l < options_.layers; ++l) {
    auto layer = std::make_shared<FourierLayer>(options_, bands_of(options_), l + 1 == options_.layers, weights);
    layers_.push_back(register_module(fmt::format("layer_{}", l), std::move(layer)));
  }
  projection_ = register_module("projection", network(options_.width, options_.projection_hidden, output_channels));
}

/// [batch, channel, z, y, x] ↔ [x, y, z, batch, channel]: each is the other's axes turned round, batch and channel
/// swapped.
static Tensor space_first(const Tensor& values)
{
  std::vector<std::int64_t> order;
  for (std::int64_t axis = values.dim(); axis-- > 2;) order.push_back(axis);
  order.insert(order.end(), {0, 1});
  return values.permute(order);
}

static Tensor batch_first(const Tensor& values)
{
  std::vector<std::int64_t> order = {values.dim() - 2, values.dim() - 1};
  for (std::int64_t axis = values.dim() - 2; axis-- > 0;) order.push_back(axis);
  return values.permute(order).contiguous();
}

/// Appends i/n along each axis as channels, the slowest axis of the grid (the last here) first.
static Tensor with_coordinates(const Tensor& values)
{
  const std::int64_t axes = values.dim() - 2;
  auto shape = values.sizes().vec();
  shape.back() = 1;
  std::vector<Tensor> parts = {values};
  for (std::int64_t axis = axes; axis-- > 0;) {
    std::vector<std::int64_t> along(static_cast<std::size_t>(values.dim()), 1);
    along[static_cast<std::size_t>(axis)] = values.size(axis);
    const Tensor position = torch::arange(values.size(axis), torch::kFloat64) / values.size(axis);
    parts.push_back(position.to(values.options()).view(along).expand(shape));
  }
  return torch::cat(parts, -1);
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

  Tensor v = space_first(input);
  if (options_.coordinates) v = with_coordinates(v);
  v = lifting_->forward(v.contiguous());

  std::vector<std::int64_t> padding = {0, 0, 0, 0};  // channel, batch, …, last axis first: what torch expects
  for (std::int64_t axis = axes; axis-- > 0;)
    padding.insert(padding.end(), {0, std::lround(options_.padding * static_cast<double>(v.size(axis)))});
  const auto padded_with = [&](std::int64_t sign, const Tensor& values) {
    std::vector<std::int64_t> amounts;
    for (const std::int64_t points : padding) amounts.push_back(sign * points);
    return torch::constant_pad_nd(values, amounts);
  };
  if (options_.padding > 0) v = padded_with(+1, v);
  for (const auto& layer : layers_) v = layer->forward(v);
  if (options_.padding > 0) v = padded_with(-1, v);

  return batch_first(projection_->forward(v));
}

}  // namespace locum::operators
