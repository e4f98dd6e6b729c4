#include "particle_filter.hpp"

#include <fmt/format.h>
#include <Eigen/Cholesky>
#include <locum/core/error.hpp>
#include <locum/core/random.hpp>

#include <cmath>

namespace locum::assimilation {

std::string ParticleFilter::description() const
{
  return fmt::format("particle filter, {} members, jitter {}", members(), jitter_);
}

Matrix ParticleFilter::analyse(const Matrix& forecast, const Observations& observations, const Forecast& model,
                               std::int64_t number)
{
  const Eigen::Index n = forecast.rows(), variables = forecast.cols();
  Matrix innovations = (-observations.network->instruments->observe(forecast)).rowwise() + observations.values;
  observations.network->error.whiten(innovations);
  Eigen::ArrayXd weights = -0.5 * innovations.rowwise().squaredNorm().array();
  weights = (weights - weights.maxCoeff()).exp();
  weights /= weights.sum();
  if (!weights.allFinite())
    throw SolverError({.doing = fmt::format("weighing members in cycle {}", number),
                       .where = description(),
                       .found = "members that all are infinitely unlikely",
                       .expected = "some near the observations",
                       .advice = "more members, or larger errors of observations"});

  const double offset =
      RandomStream(model.seed(), "resampling", static_cast<std::uint64_t>(number)).uniform({1}).item<double>();
  Matrix chosen(n, variables);
  Eigen::Index member = 0;
  double below = weights[0];
  for (Eigen::Index i = 0; i < n; ++i) {
    const double at = (static_cast<double>(i) + offset) / static_cast<double>(n);
    while (at > below && member < n - 1) below += weights[++member];
    chosen.row(i) = forecast.row(member);
  }
  if (jitter_ > 0) {
    const RowVector mean = weights.matrix().transpose() * forecast;
    const Matrix anomalies = forecast.rowwise() - mean;
    Eigen::MatrixXd covariance = anomalies.transpose() * weights.matrix().asDiagonal() * anomalies;
    covariance.diagonal().array() += 1e-12 * covariance.trace() / static_cast<double>(variables) + 1e-300;
    const double d = static_cast<double>(variables);
    const double width = jitter_ * std::pow(4 / (static_cast<double>(n) * (d + 2)), 1 / (d + 4));
    const Eigen::MatrixXd root = covariance.llt().matrixL();
    chosen += width * normal(model.seed(), "jitter", number, n, variables) * root.transpose();
  }
  return chosen;
}

}  // namespace locum::assimilation
