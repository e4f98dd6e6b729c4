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
  Matrix chosen(n, variables);
  std::vector<bool> copy(static_cast<std::size_t>(n));
  Eigen::Index member = 0, last = -1;
  double below = weights_[0];
  for (Eigen::Index i = 0; i < n; ++i) {
    const double at = (static_cast<double>(i) + offset) / static_cast<double>(n);
    while (at > below && member < n - 1) below += weights_[++member];
    chosen.row(i) = members.row(member);
    copy[static_cast<std::size_t>(i)] = member == last;
    last = member;
  }
  if (jitter_ == 0) return chosen;
  const Matrix anomalies = members.rowwise() - mean_of(members, weights_);
  const double rest = 1 - weights_.squaredNorm();
  Eigen::MatrixXd covariance = anomalies.transpose() * weights_.asDiagonal() * anomalies / (rest > 1e-12 ? rest : 1);
  covariance.diagonal().array() += 1e-12 * covariance.trace() / static_cast<double>(variables) + 1e-300;
  const double width = jitter_ * std::pow(static_cast<double>(n), -1 / static_cast<double>(variables + 4));
  const Eigen::MatrixXd root = covariance.llt().matrixL();
  const Matrix noise = width * normal(seed, "jitter", number, n, variables) * root.transpose();
  for (Eigen::Index i = 0; i < n; ++i)
    if (copy[static_cast<std::size_t>(i)]) chosen.row(i) += noise.row(i);
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
