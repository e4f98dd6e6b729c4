#include "transform_filter.hpp"

#include <fmt/format.h>

#include <cmath>

#include "small_products.hpp"

namespace locum::assimilation {

std::string TransformFilter::description() const { return fmt::format("ETKF, {} members", members()); }

double TransformFilter::zeta(const Matrix& s, const RowVector&) const { return static_cast<double>(s.rows() - 1); }

Matrix TransformFilter::analyse(const Matrix& forecast, const Observations& observations, const Forecast&, std::int64_t)
{
  const auto [s, d] = observations.compare(forecast);
  transform_.compute(s, d, zeta(s, d));
  const RowVector mean = mean_of(forecast);
  const Matrix anomalies = forecast.rowwise() - mean;
  Matrix analysis;
  multiply(transform_.weights(), anomalies, analysis);
  analysis.rowwise() += mean;
  return analysis;
}

std::string FiniteSizeFilter::description() const { return fmt::format("EnKF-N, {} members", members()); }

double FiniteSizeFilter::zeta(const Matrix& s, const RowVector& d) const
{
  const auto n = static_cast<double>(s.rows());
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(s * s.transpose());
  const Eigen::ArrayXd values = eigen.eigenvalues().array().max(0);
  const Eigen::ArrayXd along = (eigen.eigenvectors().transpose() * (s * d.transpose())).array().square();

  // J(λ) = Σ d_i² / (λ² s_i² + n − 1) + e / λ² + c log λ², minimised over z = λ² by its derivative in log z; the part
  // of d that no member sees does not depend on λ.
  double e = (n + 1) / n, c = n / (n - 1);
  const double mode = e / c;
  const double unseen = static_cast<double>(std::max<Eigen::Index>(0, d.size() - s.rows()));
  const double resolved = ((n - 1) / (values + n - 1)).sum();
  const double insensitivity = (resolved + unseen) / (static_cast<double>(s.rows()) + unseen);
  const double correction = std::sqrt(std::pow(mode, insensitivity));
  e /= correction;
  c *= correction;
  const auto slope = [&](double z) { return c - e / z - (z * along / (z * values + n - 1).square()).sum(); };
  double low = std::log(1e-3), high = std::log(1e3);
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (slope(std::exp(middle)) < 0 ? low : high) = middle;
  }
  return (n - 1) / std::exp((low + high) / 2);
}

}  // namespace locum::assimilation
