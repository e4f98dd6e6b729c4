#include "diagnostics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace locum::assimilation {

static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

static double rms(const RowVector& values)
{
  return values.size() > 0 ? std::sqrt(values.squaredNorm() / static_cast<double>(values.size())) : unknown;
}

double crps(const Eigen::Ref<const Matrix>& members, const RowVector& truth)
{
  // Σ_ij |x_i − x_j| = 2 Σ_k (2 k − n + 1) x_(k) of the sorted members.
  const Eigen::Index n = members.rows();
  const Eigen::MatrixXd by_variable = members;
  double sum = 0;
  std::vector<double> sorted(static_cast<std::size_t>(n));
  for (Eigen::Index v = 0; v < truth.size(); ++v) {
    double distance = 0, between = 0;
    std::copy_n(by_variable.col(v).data(), n, sorted.begin());
    std::sort(sorted.begin(), sorted.end());
    for (Eigen::Index k = 0; k < n; ++k) {
      const double x = sorted[static_cast<std::size_t>(k)];
      distance += std::abs(x - truth[v]);
      between += static_cast<double>(2 * k - n + 1) * x;
    }
    sum += distance / static_cast<double>(n) - between / static_cast<double>(n * n);
  }
  return sum / static_cast<double>(truth.size());
}

void count_ranks(const Eigen::Ref<const Matrix>& members, const RowVector& truth, Eigen::ArrayXd& counts)
{
  Eigen::Array<int, 1, Eigen::Dynamic> below = Eigen::Array<int, 1, Eigen::Dynamic>::Zero(truth.size());
  for (Eigen::Index i = 0; i < members.rows(); ++i)
    below += (members.row(i).array() < truth.array()).cast<int>();
  for (Eigen::Index v = 0; v < below.size(); ++v) counts[below[v]] += 1;
}

Scores score(const Analysis& analysis, const Observations& observations, const RowVector& truth,
             const RowVector& smoothed)
{
  Scores scores;
  scores.time = observations.time;
  const auto error = [](const Matrix& members, const RowVector& exact) {
    return exact.size() > 0 && members.size() > 0 ? rms(mean_of(members) - exact) : unknown;
  };
  scores.rmse_forecast = error(analysis.forecast, truth);
  scores.rmse_analysis = error(analysis.members, truth);
  scores.rmse_smoothed = error(analysis.smoothed, smoothed);
  scores.spread_forecast = std::sqrt(variance_of(analysis.forecast).mean());
  scores.spread_analysis = std::sqrt(variance_of(analysis.members).mean());
  scores.crps = truth.size() > 0 ? crps(analysis.members, truth) : unknown;

  const auto [s, before] = observations.compare(analysis.forecast);
  Matrix after = observations.values - mean_of(observations.network->instruments->observe(analysis.members));
  observations.network->error.whiten(after);
  const auto count = static_cast<double>(before.size());
  scores.innovation = rms(before);
  scores.error_ratio = after.row(0).dot(before) / count;
  scores.chi_squared = scores.spread_ratio = unknown;
  if (s.rows() > 1) {
    const Eigen::Index n = s.rows();
    const Eigen::MatrixXd products = s * s.transpose() + static_cast<double>(n - 1) * Eigen::MatrixXd::Identity(n, n);
    const Vector along = s * before.transpose();
    scores.chi_squared = (before.squaredNorm() - along.dot(products.llt().solve(along))) / count;
    scores.spread_ratio = (before - after.row(0)).dot(before) * static_cast<double>(n - 1) / s.squaredNorm();
  }
  return scores;
}

}  // namespace locum::assimilation
