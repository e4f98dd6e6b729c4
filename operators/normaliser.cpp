#include "normaliser.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/core/sample.hpp>

#include <limits>

namespace locum::operators {

Normaliser Normaliser::fit(Normalisation kind, NormaliseOver over, const Tensor& values)
{
  Statistics statistics(kind, over);
  statistics.add(values);
  return statistics.normaliser();
}

void Statistics::add(const Tensor& values)
{
  if (kind_ == Normalisation::none || values.size(0) == 0) return;
  const Tensor data = over_ == NormaliseOver::point ? values.to(torch::kFloat64)  // [batch, channel, …]
                                                    : values.to(torch::kFloat64).transpose(0, 1).flatten(1).t();
  const bool gaussian = kind_ == Normalisation::unit_gaussian;
  Tensor count, first, second;
  if (missing_) {
    const Tensor known = data.isfinite();
    count = known.sum(0).to(torch::kFloat64);
    if (gaussian) {
      first = data.where(known, torch::zeros_like(data)).sum(0) / count.clamp_min(1);
      const Tensor square = (data - first).square();
      second = (square.where(known, torch::zeros_like(data)).sum(0) / count.clamp_min(1)).sqrt();
    } else {
      constexpr double infinity = std::numeric_limits<double>::infinity();
      first = data.masked_fill(known.logical_not(), infinity).amin(0);
      second = data.masked_fill(known.logical_not(), -infinity).amax(0);
    }
  } else {
    count = torch::tensor(static_cast<double>(data.size(0)), torch::kFloat64);
    first = gaussian ? data.mean(0) : data.amin(0);
    second = gaussian ? data.std(0, /*unbiased=*/false) : data.amax(0);
  }
  if (!count_.defined()) {
    count_ = count;
    first_ = first;
    second_ = second;
    return;
  }
  if (gaussian) {
    const Tensor both = count_ + count, step = first - first_;
    const Tensor squares =
        second_.square() * count_ + second.square() * count + step.square() * count_ * count / both.clamp_min(1);
    first_ = first_ + step * count / both.clamp_min(1);
    second_ = (squares / both.clamp_min(1)).sqrt();
  } else {
    first_ = torch::minimum(first_, first);
    second_ = torch::maximum(second_, second);
  }
  count_ = count_ + count;
}

void Statistics::combine(const Communicator& ranks)
{
  if (ranks.size() == 1 || kind_ == Normalisation::none) return;
  const auto over_ranks = [&](const Tensor& values, MPI_Op operation) {
    const Tensor all = values.contiguous().clone();
    MPI_Allreduce(MPI_IN_PLACE, all.data_ptr<double>(), static_cast<int>(all.numel()), MPI_DOUBLE, operation,
                  ranks.raw());
    return all;
  };
  if (kind_ == Normalisation::min_max) {
    first_ = over_ranks(first_, MPI_MIN);
    second_ = over_ranks(second_, MPI_MAX);
    count_ = over_ranks(count_, MPI_SUM);
    return;
  }
  const Tensor count = over_ranks(count_, MPI_SUM);
  const Tensor mean = over_ranks(first_ * count_, MPI_SUM) / count.clamp_min(1);
  const Tensor squares = over_ranks((second_.square() + (first_ - mean).square()) * count_, MPI_SUM);
  count_ = count;
  first_ = mean;
  second_ = (squares / count.clamp_min(1)).sqrt();
}

Normaliser Statistics::normaliser() const
{
  if (!count_.defined()) return {};
  Tensor offset = first_, scale = kind_ == Normalisation::unit_gaussian ? second_.clone() : second_ - first_;
  if (missing_) {  // what has no value anywhere
    offset = offset.masked_fill((count_ == 0).expand_as(offset), 0);
    scale = scale.masked_fill((count_ == 0).expand_as(scale), 1);
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
