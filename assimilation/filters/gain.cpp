#include "gain.hpp"

#include <Eigen/Cholesky>
#include <cmath>

namespace locum::assimilation {

CovarianceRoot ensemble_root(const Matrix& anomalies, const Matrix& seen, double factor)
{
  const double scale = std::sqrt(factor / static_cast<double>(anomalies.rows() - 1));
  return {scale * anomalies, scale * seen};
}

Matrix kalman_increments(const CovarianceRoot& root, const Matrix& innovations, Localisation& localisation,
                         const std::shared_ptr<const Network>& network, std::int64_t points)
{
  const Matrix &a = root.anomalies, &s = root.seen;
  const Eigen::Index rows = s.rows(), count = s.cols();
  if (!localisation.local() && rows < count) {
    const Eigen::MatrixXd small = s * s.transpose() + Eigen::MatrixXd::Identity(rows, rows);
    const Eigen::MatrixXd weights = small.llt().solve(s * innovations.transpose());  // [row, state]
    return weights.transpose() * a;
  }
  Eigen::MatrixXd seen_covariance;
  if (localisation.local()) {
    seen_covariance = Eigen::MatrixXd::Zero(count, count);
    const Neighbours& near = localisation.observations_near_observations(network);
    const Eigen::MatrixXd columns = s;
    for (Eigen::Index i = 0; i < count; ++i)
      for (auto at = near.first[static_cast<std::size_t>(i)]; at < near.first[static_cast<std::size_t>(i) + 1]; ++at) {
        const auto j = near.index[static_cast<std::size_t>(at)];
        seen_covariance(i, j) = near.weight[static_cast<std::size_t>(at)] * columns.col(i).dot(columns.col(j));
      }
  } else {
    seen_covariance = s.transpose() * s;
  }
  seen_covariance.diagonal().array() += 1;
  const Matrix z = seen_covariance.llt().solve(innovations.transpose()).transpose();  // [state, observation]
  if (!localisation.local()) return (z * s.transpose()) * a;

  Matrix increments = Matrix::Zero(innovations.rows(), a.cols());
  const Neighbours& near = localisation.points_near_observations(network);
  const Eigen::MatrixXd states = a, columns = s;
  for (Eigen::Index i = 0; i < count; ++i)
    for (auto at = near.first[static_cast<std::size_t>(i)]; at < near.first[static_cast<std::size_t>(i) + 1]; ++at)
      for (Eigen::Index v = near.index[static_cast<std::size_t>(at)]; v < a.cols(); v += points) {
        const double covariance = near.weight[static_cast<std::size_t>(at)] * columns.col(i).dot(states.col(v));
        increments.col(v) += covariance * z.col(i);
      }
  return increments;
}

}  // namespace locum::assimilation
