#include "errors.hpp"

#include <locum/core/random.hpp>

#include <algorithm>

namespace locum::operators {

/// Σ |ê_k|² over the wave numbers k ≥ 0 of each shell κ ≤ |k| < κ + 1: [batch, channel, κ].
static Tensor energy_in_shells(const Tensor& values)
{
  std::vector<std::int64_t> axes;
  std::int64_t shells = values.size(2) / 2 + (values.dim() == 3 ? 1 : 0);  // on a line, the shortest wave is one, too
  Tensor squares = torch::zeros({}, torch::kFloat64);
  Tensor transform = torch::fft::fftn(values, c10::nullopt, [&] {
    for (std::int64_t axis = 2; axis < values.dim(); ++axis) axes.push_back(axis);
    return axes;
  }());
  double points = 1;
  for (const std::int64_t axis : axes) {
    const std::int64_t n = values.size(axis), kept = n / 2 + (values.dim() == 3 ? 1 : 0);
    points *= static_cast<double>(n);
    shells = std::min(shells, kept);
    transform = transform.narrow(axis, 0, kept);
    std::vector<std::int64_t> shape(axes.size(), 1);
    shape[static_cast<std::size_t>(axis - 2)] = kept;
    squares = squares + torch::arange(kept, torch::kFloat64).square().view(shape);
  }
  const Tensor energy = (transform / points).abs().square().flatten(2);
  const Tensor shell = squares.sqrt().floor().to(torch::kInt64).flatten();
  const Tensor all =
      torch::zeros({values.size(0), values.size(1), shell.max().item<std::int64_t>() + 1}, torch::kFloat64);
  all.index_add_(2, shell, energy);
  return all.narrow(2, 0, shells);
}

void ErrorStatistics::add(const Tensor& prediction, const Tensor& truth)
{
  const Tensor p = prediction.cpu().to(torch::kFloat64), t = truth.cpu().to(torch::kFloat64), e = p - t;
  const auto put = [&](const std::string& name, const Tensor& of_samples) {
    const Tensor sum = of_samples.sum(0);
    const auto known = sums_.find(name);
    sums_[name] = known == sums_.end() ? sum : known->second + sum;
  };
  const Tensor square = e.square().flatten(2).mean(2);  // [batch, channel]
  put("rmse", square.sqrt());
  put("nrmse", (square / t.square().flatten(2).mean(2)).sqrt());
  put("vrmse", (square / (t.flatten(2).var(2) + 1e-7)).sqrt());
  put("conserved_rmse", e.flatten(2).mean(2).square());

  Tensor edges = torch::zeros_like(square);
  double count = 0;
  for (std::int64_t axis = 2; axis < e.dim(); ++axis)
    for (const std::int64_t end : {std::int64_t{0}, e.size(axis) - 1}) {
      const Tensor side = e.narrow(axis, end, 1).flatten(2);
      edges = edges + side.square().sum(2);
      count += static_cast<double>(side.size(2));
    }
  put("boundary_rmse", (edges / count).sqrt());

  const Tensor largest = e.abs().flatten(2).amax(2).amax(0);
  largest_ = largest_.defined() ? torch::maximum(largest_, largest) : largest;
  const Tensor shells = energy_in_shells(e).sum(0);
  shells_ = shells_.defined() ? shells_ + shells : shells;
  samples_ += e.size(0);
}

std::map<std::string, double> ErrorStatistics::results() const
{
  std::map<std::string, double> all;
  const auto samples = static_cast<double>(samples_);
  for (const auto& [name, sum] : sums_)
    all[name] = (name == "conserved_rmse" ? (sum / samples).sqrt() : sum / samples).mean().item<double>();
  all["max_error"] = largest_.mean().item<double>();
  const Tensor shells = (shells_ / samples).sqrt().mean(0);
  const std::int64_t end = shells.numel();
  const auto band = [&](const char* name, std::int64_t first, std::int64_t last) {
    if (first < std::min(last, end)) all[name] = shells.slice(0, first, std::min(last, end)).mean().item<double>();
  };
  band("frmse_low", 0, 4);
  band("frmse_mid", 4, 12);
  band("frmse_high", 12, end);
  return all;
}

Tensor correlation_of(const Tensor& prediction, const Tensor& truth)
{
  const auto anomaly = [](const Tensor& values) {
    const Tensor flat = values.cpu().to(torch::kFloat64).flatten(1);
    return flat - flat.mean(1, /*keepdim=*/true);
  };
  const Tensor p = anomaly(prediction), t = anomaly(truth);
  return ((p * t).sum(1) / (p.norm(2, 1) * t.norm(2, 1))).nan_to_num(0);
}

double correlation_time(const Tensor& correlations, double interval, double threshold)
{
  const std::int64_t steps = correlations.numel();
  const Tensor below = (correlations.cpu() < threshold).nonzero();
  return interval * static_cast<double>(below.numel() > 0 ? below[0].item<std::int64_t>() + 1 : steps);
}

std::pair<double, double> confidence_of_mean(const Tensor& errors)
{
  constexpr std::int64_t draws = 2000;
  const std::int64_t n = errors.numel();
  RandomStream random(0, "bootstrap");
  const Tensor values = errors.cpu().to(torch::kFloat64).flatten();
  std::vector<double> means;
  for (std::int64_t i = 0; i < draws; ++i)
    means.push_back(
        values.index_select(0, (random.uniform({n}) * static_cast<double>(n)).to(torch::kInt64).clamp_max(n - 1))
            .mean()
            .item<double>());
  std::sort(means.begin(), means.end());
  return {means[draws / 40], means[draws - 1 - draws / 40]};
}

}  // namespace locum::operators
