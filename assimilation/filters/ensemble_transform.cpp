#include "ensemble_transform.hpp"

#include <algorithm>
#include <cmath>

#include "small_products.hpp"

namespace locum::assimilation {

void EnsembleTransform::compute(const Eigen::Ref<const Matrix>& s, const RowVector& d, double zeta)
{
  const Matrix by_observation = s.transpose();
  Matrix products;
  gram(by_observation, products);
  compute_from(products, s * d.transpose(), zeta);
}

void EnsembleTransform::compute_from(const Matrix& products, const Vector& projections, double zeta)
{
  products_ = products / zeta;
  const double bound = std::min(products_.norm(), products_.cwiseAbs().rowwise().sum().maxCoeff());
  constexpr double near = 30;  // beyond it, so many iterations cost more than eigenvectors
  if (bound < near) iterate(bound);
  else decompose();
  mean_weights_ = root_ * (root_ * projections) / zeta;
  scale_ = std::sqrt(static_cast<double>(products.rows() - 1) / zeta);
  root_ *= scale_;
  weights_ = root_.rowwise() + mean_weights_.transpose();
}

void EnsembleTransform::iterate(double bound)
{
  // Y → A^{1/2}, Z → A^{−1/2} of A = 1 + products, whose eigenvalues x are between 1 and 1 + bound. Z begins as the
  // straight line through 1/√x at Chebyshev's points.
  const double middle = 1 + bound / 2, away = bound / 2 * std::sqrt(0.5);
  const double low = 1 / std::sqrt(middle - away), high = 1 / std::sqrt(middle + away);
  const double slope = away > 0 ? (high - low) / (2 * away) : 0;
  square_root_ = products_;
  square_root_.diagonal().array() += 1;
  root_ = slope * square_root_;
  root_.diagonal().array() += (low + high) / 2 - slope * middle;
  multiply(root_, square_root_, step_);
  square_root_.swap(step_);
  constexpr int most = 60;
  for (int i = 0; i < most; ++i) {
    multiply(root_, square_root_, product_);
    product_ *= -0.5;
    product_.diagonal().array() += 0.5;
    const double error = product_.norm();
    product_.diagonal().array() += 1;
    multiply(product_, root_, step_);
    root_.swap(step_);
    if (error < 5e-8) break;  // squared by this step
    multiply(square_root_, product_, step_);
    square_root_.swap(step_);
  }
  root_ = 0.5 * (root_ + root_.transpose()).eval();
}

void EnsembleTransform::decompose()
{
  eigen_.compute(products_);
  const Eigen::ArrayXd values = 1 / (eigen_.eigenvalues().array().max(0) + 1).sqrt();
  root_ = eigen_.eigenvectors() * values.matrix().asDiagonal() * eigen_.eigenvectors().transpose();
}

Matrix EnsembleTransform::inverse_root() const
{
  Matrix a = products_;
  a.diagonal().array() += 1;
  return a * root_ / (scale_ * scale_);
}

void rotate(Matrix& anomalies, const Matrix& normal)
{
  RowVector product(anomalies.cols());
  for (Eigen::Index i = 0; i < normal.rows(); ++i) {
    const Vector direction = (normal.row(i).array() - normal.row(i).mean()).transpose();
    const double norm = direction.squaredNorm();
    if (!(norm > 0)) continue;
    product.noalias() = direction.transpose() * anomalies;
    anomalies.noalias() -= (2 / norm * direction) * product;
  }
}

}  // namespace locum::assimilation
