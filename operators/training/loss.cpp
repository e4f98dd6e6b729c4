#include "loss.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/core/sample.hpp>

namespace locum::operators {

/// ‖values‖ of each sample, [batch]; weights spread over the points.
static Tensor norm_of(const Tensor& values, const Tensor& weights)
{
  const Tensor weighted = weights.defined() ? values * weights.sqrt() : values;
  return weighted.flatten(1).norm(2, {1}, /*keepdim=*/false, torch::kFloat64);
}

/// Wave numbers along `axis` of values, whole, spread over its axes: those of a real transform along the last axis.
static Tensor wave_numbers(const Tensor& values, std::int64_t axis)
{
  const std::int64_t n = values.size(axis);
  const bool half = axis == values.dim() - 1;
  const Tensor k = (half ? torch::fft::rfftfreq(n, values.options()) : torch::fft::fftfreq(n, values.options())) * n;
  std::vector<std::int64_t> shape(static_cast<std::size_t>(values.dim()), 1);
  shape[static_cast<std::size_t>(axis)] = k.numel();
  return k.round().view(shape);
}

static std::vector<std::int64_t> axes_of_space(const Tensor& values)
{
  std::vector<std::int64_t> axes;
  for (std::int64_t axis = 2; axis < values.dim(); ++axis) axes.push_back(axis);
  return axes;
}

/// ∂u/∂x along an axis of a domain of unit length.
static Tensor derivative(const Tensor& u, std::int64_t axis, Edges edges)
{
  const std::int64_t n = u.size(axis);
  const double spacing = 1 / static_cast<double>(n);
  switch (edges) {
    case Edges::periodic:
      return (u.roll(-1, axis) - u.roll(1, axis)) / (2 * spacing);
    case Edges::one_sided:
      return torch::gradient(u, torch::Scalar(spacing), axis, /*edge_order=*/2)[0];
    case Edges::spectral:
      break;
  }
  // The wave number n/2 of an even grid has no derivative there that is real.
  Tensor k = torch::fft::rfftfreq(n, u.options()) * n;
  if (n % 2 == 0) k[-1] = 0;
  const Tensor factor = torch::complex(torch::zeros_like(k), k * (2 * M_PI));
  std::vector<std::int64_t> shape(static_cast<std::size_t>(u.dim()), 1);
  shape[static_cast<std::size_t>(axis)] = k.numel();
  return torch::fft::irfft(torch::fft::rfft(u, c10::nullopt, axis) * factor.view(shape), n, axis);
}

/// u and its first derivatives as channels side by side: what the norm of H¹ is over.
static Tensor with_gradient(const Tensor& u, Edges edges)
{
  std::vector<Tensor> parts = {u};
  for (const std::int64_t axis : axes_of_space(u)) parts.push_back(derivative(u, axis, edges));
  return torch::cat(parts, 1);
}

Tensor energy_in_bands(const Tensor& values)
{
  const auto axes = axes_of_space(values);
  Tensor energy = torch::fft::rfftn(values.to(torch::kFloat64), c10::nullopt, axes).abs().square();
  Tensor squares = torch::zeros({}, energy.options());
  for (const std::int64_t axis : axes) squares = squares + wave_numbers(values, axis).to(torch::kFloat64).square();
  // Of every pair of conjugate modes the real transform has one.
  const std::int64_t last = values.size(-1);
  Tensor twice = torch::full({energy.size(-1)}, 2.0, energy.options());
  twice[0] = 1;
  if (last % 2 == 0) twice[-1] = 1;
  energy = energy * twice / static_cast<double>(values.numel() / (values.size(0) * values.size(1)));
  const Tensor k = squares.sqrt();
  std::vector<Tensor> bands;
  for (const Tensor& inside : {k < 4, (k >= 4).logical_and(k < 12), k >= 12})
    bands.push_back((energy * inside).flatten(2).sum(2));
  return torch::stack(bands);
}

Tensor errors_of(const LossOptions& options, const Tensor& prediction, const Tensor& truth, const Tensor& weights)
{
  if (prediction.sizes() != truth.sizes())
    throw ShapeError({.doing = "comparing a prediction with the truth",
                      .where = "",
                      .found = "a prediction of shape " + to_string(prediction.sizes()),
                      .expected = to_string(truth.sizes()) + ", the truth's",
                      .advice = "a model with as many output channels as the data"});
  if (!options.channels.empty()) {
    if (static_cast<std::int64_t>(options.channels.size()) != truth.size(1))
      throw ShapeError({.doing = "comparing a prediction with the truth",
                        .where = "training.loss_channels",
                        .found = fmt::format("{} weights", options.channels.size()),
                        .expected = fmt::format("{}, one an output channel", truth.size(1)),
                        .advice = ""});
    LossOptions alone = options;
    alone.channels.clear();
    Tensor sum;
    for (std::int64_t c = 0; c < truth.size(1); ++c) {
      const Tensor error = errors_of(alone, prediction.narrow(1, c, 1), truth.narrow(1, c, 1), weights) *
                           options.channels[static_cast<std::size_t>(c)];
      sum = sum.defined() ? sum + error : error;
    }
    return sum;
  }
  const Tensor difference = prediction - truth;
  switch (options.loss) {
    case Loss::h1:
      return norm_of(with_gradient(difference, options.edges), weights) /
             norm_of(with_gradient(truth, options.edges), weights);
    case Loss::mse: {
      const Tensor squares = difference.square();
      return (weights.defined() ? squares * weights : squares).flatten(1).mean(1, /*keepdim=*/false, torch::kFloat64);
    }
    case Loss::bands: {
      const Tensor weight = torch::tensor(options.bands, torch::kFloat64).to(truth.device());
      return (energy_in_bands(difference).sum(2) * weight.unsqueeze(1)).sum(0).clamp_min(1e-300).sqrt() /
             norm_of(truth, {});
    }
    case Loss::relative_l2:
      break;
  }
  return norm_of(difference, weights) / norm_of(truth, weights);
}

Tensor errors_of(Loss loss, const Tensor& prediction, const Tensor& truth, Edges edges)
{
  LossOptions options;
  options.loss = loss;
  options.edges = edges;
  return errors_of(options, prediction, truth);
}

Tensor loss_of(Loss loss, const Tensor& prediction, const Tensor& truth, Edges edges)
{
  return errors_of(loss, prediction, truth, edges).mean();
}

void leave_out_missing(Tensor& prediction, Tensor& truth)
{
  const Tensor none = truth.isfinite().logical_not();
  prediction = prediction.masked_fill(none, 0);
  truth = truth.masked_fill(none, 0);
}

}  // namespace locum::operators
