#include "diagnostics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "filters/small_products.hpp"

namespace locum::assimilation {

static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

static double rms(const RowVector& values)
{
  return values.size() > 0 ? std::sqrt(values.squaredNorm() / static_cast<double>(values.size())) : unknown;
}

/// As the integral of |F − step|² over each variable, F the distribution that weights make.
static double weighted_crps(const Eigen::Ref<const Matrix>& members, const RowVector& truth, const Vector& weights)
{
  std::vector<Eigen::Index> order(static_cast<std::size_t>(members.rows()));
  double total = 0;
  for (Eigen::Index v = 0; v < truth.size(); ++v) {
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return members(a, v) < members(b, v); });
    double below = 0;  // F
    for (std::size_t i = 0; i < order.size(); ++i) {
      const double from = members(order[i], v);
      if (i == 0 && truth[v] < from) total += from - truth[v];
      below += weights[order[i]];
      if (i + 1 == order.size()) {
        if (truth[v] > from) total += truth[v] - from;
        break;
      }
      const double to = members(order[i + 1], v), at = std::clamp(truth[v], from, to);
      total += below * below * (at - from) + (1 - below) * (1 - below) * (to - at);
    }
  }
  return total / static_cast<double>(truth.size());
}

double crps(const Eigen::Ref<const Matrix>& members, const RowVector& truth, const Vector& weights)
{
  if (weights.size() > 0) return weighted_crps(members, truth, weights);
  const Eigen::Index n = members.rows(), variables = truth.size();
  const auto count = static_cast<double>(n);
  double distance = 0, between = 0;  // Σ |x_i − y|, Σ_{i<j} |x_i − x_j|
  for (Eigen::Index i = 0; i < n; ++i) distance += (members.row(i) - truth).cwiseAbs().sum();
  constexpr Eigen::Index few = 64;  // of so few, all pairs are sooner done than sorted
  if (n <= few) {
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = 0; j < i; ++j) between += (members.row(i) - members.row(j)).cwiseAbs().sum();
  } else {
    Eigen::MatrixXd sorted = members;
    for (Eigen::Index v = 0; v < variables; ++v) {
      auto column = sorted.col(v);
      std::sort(column.begin(), column.end());
      for (Eigen::Index k = 0; k < n; ++k) between += static_cast<double>(2 * k - n + 1) * column[k];
    }
  }
  return (distance / count - between / (count * count)) / static_cast<double>(variables);
}

void count_ranks(const Eigen::Ref<const Matrix>& members, const Vector& weights, const RowVector& truth,
                 Eigen::ArrayXd& counts)
{
  if (weights.size() > 0) {
    const auto n = static_cast<double>(members.rows());
    for (Eigen::Index v = 0; v < truth.size(); ++v) {
      const double below = (members.col(v).array() < truth[v]).select(weights.array(), 0).sum();
      counts[static_cast<Eigen::Index>(std::lround(std::min(below, 1.0) * n))] += 1;
    }
    return;
  }
  Eigen::Array<int, 1, Eigen::Dynamic> below = Eigen::Array<int, 1, Eigen::Dynamic>::Zero(truth.size());
  for (Eigen::Index i = 0; i < members.rows(); ++i) below += (members.row(i).array() < truth.array()).cast<int>();
  for (Eigen::Index v = 0; v < below.size(); ++v) counts[below[v]] += 1;
}

Scores score(const Analysis& analysis, const Observations& observations, const RowVector& truth,
             const RowVector& smoothed)
{
  Scores scores;
  scores.time = observations.time;
  const auto error = [](const Matrix& members, const Vector& weights, const RowVector& exact) {
    return exact.size() > 0 && members.size() > 0 ? rms(mean_of(members, weights) - exact) : unknown;
  };
  scores.rmse_forecast = error(analysis.forecast, analysis.forecast_weights, truth);
  scores.rmse_analysis = error(analysis.members, analysis.weights, truth);
  scores.rmse_smoothed = error(analysis.smoothed, {}, smoothed);
  scores.spread_forecast = std::sqrt(variance_of(analysis.forecast, analysis.forecast_weights).mean());
  scores.spread_analysis = std::sqrt(variance_of(analysis.members, analysis.weights).mean());
  scores.crps = truth.size() > 0 ? crps(analysis.members, truth, analysis.weights) : unknown;

  const auto [s, before] = observations.compare(analysis.forecast);
  Matrix after = observations.values - mean_of(observations.network->instruments->observe(analysis.members));
  observations.network->error.whiten(after);
  const auto count = static_cast<double>(before.size());
  scores.innovation = rms(before);
  scores.error_ratio = after.row(0).dot(before) / count;
  scores.chi_squared = scores.spread_ratio = unknown;
  if (s.rows() > 1) {
    const Eigen::Index n = s.rows();
    Matrix products;
    gram(s.transpose(), products);
    products.diagonal().array() += static_cast<double>(n - 1);
    const Vector along = s * before.transpose();
    scores.chi_squared = (before.squaredNorm() - along.dot(products.llt().solve(along))) / count;
    scores.spread_ratio = (before - after.row(0)).dot(before) * static_cast<double>(n - 1) / s.squaredNorm();
  }
  return scores;
}

}  // namespace locum::assimilation
