#include "regression.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace locum::assimilation {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

static constexpr int most_iterations = 20000;

RegressionProblem::RegressionProblem(const MatrixXd& columns, const VectorXd& target)
    : rows_(static_cast<double>(columns.rows()))
{
  const std::string doing = "regressing on candidate terms";
  if (columns.rows() < columns.cols())
    throw DataError({.doing = doing,
                     .where = "the samples",
                     .found = fmt::format("{} values of {} terms", columns.rows(), columns.cols()),
                     .expected = "at least as many values as terms",
                     .advice = "more discovery.samples, or fewer terms"});
  if (!columns.allFinite() || !target.allFinite())
    throw DataError({.doing = doing,
                     .where = target.allFinite() ? "the terms" : "the increments",
                     .found = "values that are not finite",
                     .expected = "finite values",
                     .advice = ""});
  const Index p = columns.cols();
  scales_ = columns.colwise().norm() / std::sqrt(rows_);
  for (double& scale : scales_)
    if (scale == 0) scale = 1;
  if (const double scale = target.norm() / std::sqrt(rows_); scale > 0) target_scale_ = scale;

  MatrixXd both(columns.rows(), p + 1);
  both.leftCols(p) = columns * scales_.cwiseInverse().asDiagonal();
  both.col(p) = target / target_scale_;
  const Eigen::HouseholderQR<Eigen::Ref<MatrixXd>> qr(both);  // in place
  const MatrixXd upper = both.topRows(std::min(p + 1, both.rows())).triangularView<Eigen::Upper>();
  triangle_ = upper.topLeftCorner(p, p);
  turned_ = upper.col(p).head(p);
  rest_ = upper.rows() > p ? upper(p, p) * upper(p, p) : 0;
}

double RegressionProblem::mean_square() const
{
  return (turned_.squaredNorm() + rest_) / rows_ * target_scale_ * target_scale_;
}

/// Rounding in the reduction is what is left of a target that is met exactly.
double RegressionProblem::precision_of_noise(double degrees, double residual) const
{
  constexpr double rounding = 1e-15;
  return std::max(degrees, 1.0) / std::max(residual, rows_ * rounding * rounding);
}

double RegressionProblem::limit(Index column, double threshold) const
{
  const double scaled = threshold * scales_[column] / target_scale_;
  return scaled > 0 ? 1 / (scaled * scaled) : std::numeric_limits<double>::infinity();
}

SparseFit RegressionProblem::unscaled(const Set& active, const Posterior& scaled, bool converged) const
{
  SparseFit fit{.coefficients = VectorXd::Zero(scales_.size()),
                .deviations = VectorXd::Zero(scales_.size()),
                .mean_square = scaled.residual / rows_ * target_scale_ * target_scale_,
                .converged = converged};
  for (std::size_t i = 0; i < active.size(); ++i) {
    const double scale = target_scale_ / scales_[active[i]];
    fit.coefficients[active[i]] = scaled.mean[static_cast<Index>(i)] * scale;
    fit.deviations[active[i]] = std::sqrt(scaled.variances[static_cast<Index>(i)]) * scale;
  }
  return fit;
}

/// Mean and variances of the active coefficients, as least squares of [√β Φ; √α] m = [√β t; 0]: the inverse of ΦᵀΦ,
/// which columns that are nearly alike would spoil, is not formed.
RegressionProblem::Posterior RegressionProblem::posterior(const Set& active, const VectorXd& alpha, double beta) const
{
  const auto k = static_cast<Index>(active.size());
  const Index p = triangle_.rows();
  const MatrixXd own = triangle_(Eigen::all, active);
  Posterior posterior{.mean = VectorXd::Zero(k), .variances = VectorXd::Zero(k), .residual = 0};
  if (k > 0) {
    MatrixXd system = MatrixXd::Zero(p + k, k);
    system.topRows(p) = std::sqrt(beta) * own;
    system.bottomRows(k) = alpha.cwiseSqrt().asDiagonal();
    VectorXd right = VectorXd::Zero(p + k);
    right.head(p) = std::sqrt(beta) * turned_;
    const Eigen::HouseholderQR<MatrixXd> qr(system);
    right.applyOnTheLeft(qr.householderQ().adjoint());
    const MatrixXd upper = qr.matrixQR().topRows(k).triangularView<Eigen::Upper>();
    const auto triangle = upper.triangularView<Eigen::Upper>();
    posterior.mean = triangle.solve(right.head(k));
    posterior.variances = triangle.solve(MatrixXd::Identity(k, k)).rowwise().squaredNorm();
  }
  posterior.residual = (turned_ - own * posterior.mean).squaredNorm() + rest_;
  return posterior;
}

SparseFit RegressionProblem::relevance_fixed_point(double threshold, double tolerance) const
{
  constexpr double start = 1e-6;
  Set active;
  for (Index i = 0; i < scales_.size(); ++i)
    if (triangle_.col(i).squaredNorm() > 0) active.push_back(i);
  VectorXd alpha = VectorXd::Constant(static_cast<Index>(active.size()), start);
  double beta = start;
  bool converged = false;
  for (int iteration = 0; iteration < most_iterations && !converged && !active.empty(); ++iteration) {
    const Posterior now = posterior(active, alpha, beta);
    const VectorXd gamma = (1 - alpha.array() * now.variances.array()).max(0);
    Set kept;
    std::vector<double> kept_alpha;
    converged = true;
    for (std::size_t i = 0; i < active.size(); ++i) {
      const auto at = static_cast<Index>(i);
      const double next = gamma[at] / (now.mean[at] * now.mean[at]);
      const double unit = std::pow(scales_[active[i]] / target_scale_, 2);  // α of the unscaled coefficient is α · unit
      if (!(next < limit(active[i], threshold))) continue;
      // Beyond rounding: a precision of 10¹² never stands still to 0.1.
      if (std::abs(next - alpha[at]) * unit > tolerance && std::abs(next - alpha[at]) > 1e-9 * next) converged = false;
      kept.push_back(active[i]);
      kept_alpha.push_back(next);
    }
    converged = converged && kept.size() == active.size();
    active = kept;
    alpha = VectorXd::Map(kept_alpha.data(), static_cast<Index>(kept_alpha.size()));
    beta = precision_of_noise(rows_ - gamma.sum(), now.residual);
  }
  return unscaled(active, posterior(active, alpha, beta), converged || active.empty());
}

SparseFit RegressionProblem::relevance_fast(double threshold) const
{
  const Index p = scales_.size();
  constexpr double never = std::numeric_limits<double>::infinity();
  VectorXd alpha = VectorXd::Constant(p, never);  // infinite: not in the model
  double beta = 10 / ((turned_.squaredNorm() + rest_) / rows_);
  const auto active_set = [&] {
    Set active;
    for (Index i = 0; i < p; ++i)
      if (alpha[i] < never) active.push_back(i);
    return active;
  };
  // What is left of [√β Φ; 0] and [√β t; 0] when the active columns [√β Φ; √α] have explained what they can, [.,
  // column] and the target last: S = φᵀC⁻¹φ and Q = φᵀC⁻¹t, C = β⁻¹ + Φ A⁻¹ Φᵀ, are its inner products.
  const auto unexplained = [&](const Set& active) {
    const auto k = static_cast<Index>(active.size());
    MatrixXd right = MatrixXd::Zero(p + k, p + 1);
    right.topLeftCorner(p, p) = std::sqrt(beta) * triangle_;
    right.topRightCorner(p, 1) = std::sqrt(beta) * turned_;
    if (k == 0) return right;
    MatrixXd system = MatrixXd::Zero(p + k, k);
    system.topRows(p) = std::sqrt(beta) * triangle_(Eigen::all, active);
    system.bottomRows(k) = alpha(active).cwiseSqrt().asDiagonal();
    right.applyOnTheLeft(Eigen::HouseholderQR<MatrixXd>(system).householderQ().adjoint());
    return MatrixXd(right.bottomRows(p));
  };
  // Twice the logarithm of the likelihood as a function of one α. Source: Tipping & Faul, eq. 20.
  const auto likelihood = [](double a, double s, double q) {
    return std::isinf(a) ? 0.0 : -std::log1p(s / a) + q * q / (a + s);
  };

  bool converged = false;
  for (int iteration = 0; iteration < most_iterations && !converged; ++iteration) {
    const Set active = active_set();
    const MatrixXd left = unexplained(active);
    double most = 0, next = never;
    Index chosen = -1;
    for (Index i = 0; i < p; ++i) {
      if (triangle_.col(i).squaredNorm() == 0) continue;
      const bool in = alpha[i] < never;
      Set others;
      for (const Index other : active)
        if (other != i) others.push_back(other);
      const MatrixXd own = in ? unexplained(others) : left;
      const double s = own.col(i).squaredNorm(), q = own.col(i).dot(own.col(p));
      double best = q * q > s ? s * s / (q * q - s) : never;
      if (best >= limit(i, threshold)) best = never;
      const double gain =
          in && best == never ? never : likelihood(best, s, q) - likelihood(alpha[i], s, q);  // else: no place for it
      if (gain > most) {
        most = gain;
        next = best;
        chosen = i;
      }
    }
    const bool settled = most < 1e-9;
    if (chosen >= 0) alpha[chosen] = next;
    const Set now = active_set();
    const Posterior after = posterior(now, alpha(now), beta);
    double gamma = 0;
    for (std::size_t i = 0; i < now.size(); ++i) gamma += 1 - alpha[now[i]] * after.variances[static_cast<Index>(i)];
    const double before = beta;
    beta = precision_of_noise(rows_ - gamma, after.residual);
    converged = settled && std::abs(beta - before) < 1e-6 * beta;
  }
  const Set active = active_set();
  return unscaled(active, posterior(active, alpha(active), beta), converged);
}

SparseFit RegressionProblem::thresholded_least_squares(double threshold) const
{
  Set active;
  for (Index i = 0; i < scales_.size(); ++i)
    if (triangle_.col(i).squaredNorm() > 0) active.push_back(i);
  while (true) {
    const auto k = static_cast<Index>(active.size());
    Posterior now = posterior(active, VectorXd::Zero(k), 1);
    Set kept;
    for (std::size_t i = 0; i < active.size(); ++i)
      if (std::abs(now.mean[static_cast<Index>(i)]) * target_scale_ / scales_[active[i]] >= threshold)
        kept.push_back(active[i]);
    if (kept.size() == active.size()) {
      now.variances *= now.residual / std::max(rows_ - static_cast<double>(k), 1.0);
      return unscaled(active, now, true);
    }
    active = kept;
  }
}

SparseFit RegressionProblem::fit(Regression regression, double threshold, double tolerance) const
{
  if (regression == Regression::relevance) return relevance_fixed_point(threshold, tolerance);
  if (regression == Regression::fast_relevance) return relevance_fast(threshold);
  return thresholded_least_squares(threshold);
}

std::size_t corner(const std::vector<LCurvePoint>& points, double mean_square_of_target)
{
  struct Best {
    double mean_square;
    std::size_t place;
  };
  std::map<Index, Best> by_terms;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& fit = points[i].fit;
    if (fit.terms() == 0) continue;
    const auto found = by_terms.find(fit.terms());
    if (found == by_terms.end() || fit.mean_square < found->second.mean_square)
      by_terms[fit.terms()] = {fit.mean_square, i};
  }
  if (by_terms.empty()) return 0;
  const double least = 1e-30 * mean_square_of_target;
  const auto level = [&](double mean_square) { return std::log(std::max(mean_square, least)); };
  const double top = level(mean_square_of_target), bottom = level(by_terms.rbegin()->second.mean_square);
  const auto most = static_cast<double>(by_terms.rbegin()->first);
  std::size_t chosen = by_terms.rbegin()->second.place;
  double farthest = 0;
  for (const auto& [terms, best] : by_terms) {
    const double below = (top - level(best.mean_square)) / (top - bottom) - static_cast<double>(terms) / most;
    if (below > farthest) {
      farthest = below;
      chosen = best.place;
    }
  }
  return chosen;
}

}  // namespace locum::assimilation
