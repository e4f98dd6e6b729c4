#include "particle_filter.hpp"

#include <fmt/format.h>
#include <Eigen/Cholesky>
#include <locum/core/error.hpp>
#include <locum/core/random.hpp>

#include <cmath>
#include <vector>

namespace locum::assimilation {

std::string ParticleFilter::description() const
{
  return fmt::format("particle filter, {} members, jitter {}", members_, jitter_);
}

Matrix ParticleFilter::draw_again(const Matrix& members, std::uint64_t seed, std::int64_t number) const
{
  const Eigen::Index n = members.rows(), variables = members.cols();
  const double offset =
      RandomStream(seed, "resampling", static_cast<std::uint64_t>(number)).uniform({1}).item<double>();
  std::vector<Eigen::Index> from(static_cast<std::size_t>(n));
  Eigen::Index member = 0;
  double below = weights_[0];
  for (Eigen::Index i = 0; i < n; ++i) {
    const double at = (static_cast<double>(i) + offset) / static_cast<double>(n);
    while (at > below && member < n - 1) below += weights_[++member];
    from[static_cast<std::size_t>(i)] = member;
  }
  Matrix chosen = members(from, Eigen::all);
  if (jitter_ == 0) return chosen;

  // One member that has all of the weight says nothing of the spread; then that of the forecast is taken.
  const bool lost = weights_.maxCoeff() > 1 - 1e-5;
  const Vector weights = lost ? Vector::Constant(n, 1 / static_cast<double>(n)) : weights_;
  const Matrix anomalies = members.rowwise() - mean_of(members, weights);
  Eigen::MatrixXd covariance = anomalies.transpose() * weights.asDiagonal() * anomalies / (1 - weights.squaredNorm());
  covariance.diagonal().array() += 1e-12 * covariance.trace() / static_cast<double>(variables) + 1e-300;
  const double width = jitter_ * std::pow(static_cast<double>(n), -1 / static_cast<double>(variables + 4));
  const Eigen::MatrixXd root = covariance.llt().matrixL();
  const Matrix noise = width * normal(seed, "jitter", number, n, variables) * root.transpose();
  for (std::size_t i = 0; i < from.size(); ++i) {
    const bool repeated = (i > 0 && from[i - 1] == from[i]) || (i + 1 < from.size() && from[i + 1] == from[i]);
    if (repeated) chosen.row(static_cast<Eigen::Index>(i)) += noise.row(static_cast<Eigen::Index>(i));
  }
  return chosen;
}

Analysis ParticleFilter::cycle(const Matrix& members, double time, std::span<const Observations> observations,
                               const Forecast& forecast, std::int64_t number)
{
  const Observations& seen = observations.front();
  const auto n = static_cast<double>(members.rows());
  Matrix start = members;
  if (weights_.size() > 0 && 1 / weights_.squaredNorm() <= resample_ * n) {
    start = draw_again(members, forecast.seed(), number);
    weights_.resize(0);
  }
  Analysis result;
  result.forecast = forecast.advance(start, time, seen.time - time, number);
  result.forecast_weights = weights_;
  Matrix innovations = (-seen.network->instruments->observe(result.forecast)).rowwise() + seen.values;
  seen.network->error.whiten(innovations);
  Vector logarithms = -0.5 * innovations.rowwise().squaredNorm();
  if (weights_.size() > 0) logarithms.array() += weights_.array().log();
  weights_ = (logarithms.array() - logarithms.maxCoeff()).exp();
  weights_ /= weights_.sum();
  if (!weights_.allFinite())
    throw SolverError({.doing = fmt::format("weighing members in cycle {}", number),
                       .where = description(),
                       .found = "members that all are infinitely unlikely",
                       .expected = "some near the observations",
                       .advice = "more members, or larger errors of observations"});
  result.weights = weights_;
  result.members = result.forecast;
  return result;
}

void ParticleFilter::save(io::Checkpoint& checkpoint) const
{
  checkpoint.put("method/weights", as_tensor(Matrix(weights_.transpose())).clone());
}
void ParticleFilter::load(const io::Checkpoint& checkpoint)
{
  weights_ = as_matrix(checkpoint.tensor("method/weights")).row(0);
}

}  // namespace locum::assimilation
