#include "measurement.hpp"

#include <locum/operators/training/loss.hpp>

#include <fmt/format.h>

#include <cmath>

namespace locum::cli {

using operators::errors_of;
using operators::Loss;

namespace {

/// Gathers what Spread is made of, piece after piece.
class SpreadSums {
 public:
  void add(const Tensor& prediction, const Tensor& truth, const Tensor& deviation)
  {
    const auto norm = [](const Tensor& values) { return values.to(torch::kFloat64).flatten(1).norm(2, 1); };
    const Tensor size = norm(truth), error = prediction - truth;
    deviations_.push_back(norm(deviation) / size);
    errors_.push_back(norm(error) / size);
    covered_ += (error.abs() <= 1.96 * deviation).sum().item<double>();
    values_ += static_cast<double>(truth.numel());
  }

  std::optional<Spread> result(std::size_t members) const
  {
    if (deviations_.empty()) return std::nullopt;
    const Tensor deviations = torch::cat(deviations_), errors = torch::cat(errors_);
    const auto n = static_cast<double>(members);
    return Spread{
        .deviation = deviations.mean().item<double>(),
        .over_error = std::sqrt((n + 1) / n) * (deviations.norm() / errors.norm()).item<double>(),
        .coverage = covered_ / values_,
        .correlation = operators::correlation_of(deviations.unsqueeze(0), errors.unsqueeze(0)).item<double>()};
  }

 private:
  std::vector<Tensor> deviations_, errors_;  // [sample]
  double covered_ = 0, values_ = 0;
};

}  // namespace

Measurement measure(operators::SurrogateEnsemble& ensemble, const TestData& test, const LookAt& look)
{
  const auto& first = ensemble.members().front();
  const auto outputs = operators::fields_of(first.outputs());
  std::vector<std::string> deviations;
  for (const std::string& output : outputs) deviations.push_back(output + "_std");
  Measurement all;
  SpreadSums spread;
  std::vector<Tensor> errors, of_channels;
  for (const auto& piece : test.pieces()) {
    const Sample samples = test.read(piece);
    const Sample prediction = ensemble.solve(samples);
    Tensor truth = stack_channels(samples, outputs), predicted = stack_channels(prediction, outputs);
    if (first.missing) operators::leave_out_missing(predicted, truth);
    errors.push_back(errors_of(Loss::relative_l2, predicted, truth));
    std::vector<Tensor> channels;
    for (std::int64_t i = 0; i < truth.size(1); ++i)
      channels.push_back(errors_of(Loss::relative_l2, predicted.narrow(1, i, 1), truth.narrow(1, i, 1)));
    of_channels.push_back(torch::stack(channels, 1));
    all.statistics.add(predicted, truth);
    if (ensemble.members().size() > 1)
      spread.add(predicted, truth, stack_channels(prediction, deviations).nan_to_num(0));
    if (look) look(samples, prediction, truth, predicted);
  }
  all.errors = torch::cat(errors);
  all.of_channels = torch::cat(of_channels);
  all.spread = spread.result(ensemble.members().size());
  all.scalars = test.scalars();
  // What our own datasets say of the making of a sample is no parameter of it.
  for (const char* name : {"draw", "iterations", "relative_residual"}) all.scalars.erase(name);
  return all;
}

std::vector<Group> errors_by_parameter(const Measurement& measured)
{
  constexpr std::int64_t most_values = 6;
  std::vector<Group> groups;
  for (const auto& [name, values] : measured.scalars) {
    const auto distinct = std::get<0>(torch::_unique2(values));
    const auto add = [&](const std::string& group, const Tensor& members) {
      groups.push_back({.name = group,
                        .samples = members.numel(),
                        .error = measured.errors.index_select(0, members).mean().item<double>()});
    };
    if (distinct.numel() < 2) continue;
    if (distinct.numel() <= most_values) {
      for (std::int64_t i = 0; i < distinct.numel(); ++i)
        add(fmt::format("{} = {:.4g}", name, distinct[i].item<double>()), (values == distinct[i]).nonzero().flatten());
      continue;
    }
    for (const Tensor& third : values.argsort().tensor_split(3)) {
      const Tensor own = values.index_select(0, third);
      add(fmt::format("{} {:.4g} … {:.4g}", name, own.min().item<double>(), own.max().item<double>()), third);
    }
  }
  return groups;
}

}  // namespace locum::cli
