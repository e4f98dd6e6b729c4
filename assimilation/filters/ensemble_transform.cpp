#include "ensemble_transform.hpp"

#include <cmath>

namespace locum::assimilation {

void EnsembleTransform::compute(const Eigen::Ref<const Matrix>& s, const RowVector& d, double zeta)
{
  products_.noalias() = s * s.transpose();
  compute(products_, s * d.transpose(), zeta);
}

void EnsembleTransform::compute(const Eigen::MatrixXd& products, const Vector& projections, double zeta)
{
  eigen_.compute(products);
  const auto& vectors = eigen_.eigenvectors();
  const Eigen::ArrayXd values = eigen_.eigenvalues().array().max(0) + zeta;
  scale_ = (static_cast<double>(products.rows() - 1) / values).sqrt();
  const Vector along = vectors.transpose() * projections;
  mean_weights_.noalias() = vectors * (along.array() / values).matrix();
  scaled_ = vectors * scale_.asDiagonal();
  weights_.noalias() = scaled_ * vectors.transpose();
  weights_.rowwise() += mean_weights_.transpose();
}

Eigen::MatrixXd EnsembleTransform::root() const
{
  return eigen_.eigenvectors() * scale_.asDiagonal() * eigen_.eigenvectors().transpose();
}

Eigen::MatrixXd EnsembleTransform::inverse_root() const
{
  return eigen_.eigenvectors() * scale_.cwiseInverse().asDiagonal() * eigen_.eigenvectors().transpose();
}

void rotate(Matrix& anomalies, const RowVector& normal)
{
  // Seen from axes of which one is the vector of ones, anomalies have nothing along it: a reflection there and back,
  // and between them reflections that mix the last 2, 3, … n − 1 of the others.
  const Eigen::Index members = anomalies.rows();
  if (members < 2) return;
  Vector ones = Vector::Constant(members, 1 / std::sqrt(static_cast<double>(members)));
  ones[0] += 1;  // the reflection that takes the vector of ones to −√n times the first axis
  RowVector product(anomalies.cols());
  const auto reflect = [&](const auto& vector, auto&& rows) {
    const double norm = vector.squaredNorm();
    if (!(norm > 0)) return;
    product.noalias() = vector.transpose() * rows;
    rows.noalias() -= (2 / norm * vector) * product;
  };
  reflect(ones, anomalies.topRows(members));
  Eigen::Index used = 0;
  for (Eigen::Index size = 1; size < members; ++size) {
    auto rows = anomalies.bottomRows(size);
    if (size == 1) {
      if (normal[used++] < 0) rows *= -1;
      continue;
    }
    Vector direction = normal.segment(used, size).transpose();
    used += size;
    const double sign = direction[0] < 0 ? -1 : 1;
    direction[0] += sign * direction.norm();
    reflect(direction, rows);
    rows.row(0) *= -sign;
  }
  reflect(ones, anomalies.topRows(members));
}

}  // namespace locum::assimilation
