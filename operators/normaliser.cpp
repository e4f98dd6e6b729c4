#include "normaliser.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/core/sample.hpp>

namespace locum::operators {

Normaliser Normaliser::fit(Normalisation kind, NormaliseOver over, const Tensor& values)
{
  if (kind == Normalisation::none) return {};
  const Tensor data = over == NormaliseOver::point ? values.to(torch::kFloat64)  // [batch, channel, …]
                                                   : values.to(torch::kFloat64).transpose(0, 1).flatten(1).t();
  Tensor offset, scale;
  if (kind == Normalisation::unit_gaussian) {
    offset = data.mean(0);
    scale = data.std(0, /*unbiased=*/false);
  } else {
    offset = data.amin(0);
    scale = data.amax(0) - offset;
  }
  constexpr double rounding = 1e-12;  // the deviation of equal numbers comes out not quite 0
  scale.masked_fill_(scale <= rounding * offset.abs(), 1);
  return {offset, scale};
}

std::map<std::string, Tensor> Normaliser::state() const
{
  if (!offset_.defined()) return {};
  return {{"offset", offset_}, {"scale", scale_}};
}

Normaliser Normaliser::from_state(const std::map<std::string, Tensor>& state)
{
  if (state.empty()) return {};
  return {state.at("offset"), state.at("scale")};
}

/// A statistic in the type of `values` and of a shape that spreads over them.
Tensor Normaliser::fitted(const Tensor& statistic, const Tensor& values) const
{
  const auto own = values.dim() > 1 ? values.sizes().slice(1) : torch::IntArrayRef{};  // [channel, …]
  const bool per_channel = statistic.dim() == 1 && own.size() > 0 && own[0] == statistic.size(0);
  if (!per_channel && own != statistic.sizes())
    throw ShapeError({.doing = "normalising fields",
                      .where = "",
                      .found = fmt::format("channels and points {}", to_string(own)),
                      .expected = to_string(statistic.sizes()) + ", as in the data the statistics were taken from",
                      .advice = statistic.dim() == 1 ? "the fields the model was trained on"
                                                     : "the training data's grid, or statistics over = \"channel\""});
  const Tensor typed = statistic.to(values.options());
  if (!per_channel) return typed;
  std::vector<std::int64_t> shape(own.size(), 1);
  shape[0] = -1;
  return typed.view(shape);
}

Tensor Normaliser::encode(const Tensor& values) const
{
  if (!offset_.defined()) return values;
  return (values - fitted(offset_, values)) / fitted(scale_, values);
}

Tensor Normaliser::decode(const Tensor& values) const
{
  if (!offset_.defined()) return values;
  return values * fitted(scale_, values) + fitted(offset_, values);
}

void Normaliser::to(torch::Device device)
{
  if (!offset_.defined()) return;
  offset_ = offset_.to(device);
  scale_ = scale_.to(device);
}

}  // namespace locum::operators
