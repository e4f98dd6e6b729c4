#pragma once
#include <Eigen/Dense>
#include <array>
#include <utility>
#include <vector>

namespace locum::assimilation {

/// How few of many columns are found that explain a target.
enum class Regression {
  relevance,       ///< Relevance vector machine by its fixed point: relevance_fixed_point().
  fast_relevance,  ///< The same by the fast maximisation of its marginal likelihood: relevance_fast().
  thresholded      ///< Sequential thresholded least squares: thresholded_least_squares().
};
constexpr auto option_names(Regression)
{
  return std::array{std::pair{Regression::relevance, "relevance"},
                    std::pair{Regression::fast_relevance, "fast_relevance"},
                    std::pair{Regression::thresholded, "thresholded"}};
}

/// target ≈ columns · coefficients.
struct SparseFit {
  Eigen::VectorXd coefficients;     ///< Zero where a column was pruned.
  Eigen::VectorXd deviations = {};  ///< Their standard deviations, if what is left of the target is independent noise.
  double mean_square = 0;           ///< Of what is left.
  bool converged = true;

  Eigen::Index terms() const { return (coefficients.array() != 0).count(); }
};

/// Columns and target, reduced by an orthogonal transformation to a square: all regressions are of this size then.
/// Columns are scaled to unit root mean square inside; what goes in and comes out is not.
class RegressionProblem {
 public:
  /// @param columns  [row, column]; at least as many rows as columns
  /// @param target   [row]
  /// @throws DataError  if there are fewer rows than columns, or a value is not finite
  RegressionProblem(const Eigen::MatrixXd& columns, const Eigen::VectorXd& target);

  /// Coefficients w of precision α, w ~ N(0, 1/α), α of each its own, and noise of precision β, that make the target
  /// most likely; those of α ≥ threshold⁻² are pruned, which are about those below the threshold.
  ///     Σ = (diag α + β ΦᵀΦ)⁻¹, m = β Σ Φᵀt, γ = 1 − α Σ_ii, α ← γ / m², β ← (n − Σγ) / |t − Φm|²
  /// until no α changes by the tolerance.
  /// Source: Tipping, J. Mach. Learn. Res. 1 (2001), §3 and appendix.
  SparseFit relevance_fixed_point(double threshold, double tolerance) const;

  /// The same maximum by adding, deleting or re-estimating the one column that gains most. Without a threshold it
  /// prunes what the target does not need at all.
  /// Source: Tipping & Faul, AISTATS 2003, §4.
  SparseFit relevance_fast(double threshold) const;

  /// Least squares, again and again without the columns whose coefficients are below the threshold; 0: least squares.
  /// Source: Brunton, Proctor & Kutz, PNAS 113 (2016).
  SparseFit thresholded_least_squares(double threshold) const;

  SparseFit fit(Regression regression, double threshold, double tolerance) const;

  /// Of the target.
  double mean_square() const;

 private:
  using Set = std::vector<Eigen::Index>;
  struct Posterior {
    Eigen::VectorXd mean, variances;
    double residual = 0;  // |t − Φm|²
  };
  Posterior posterior(const Set& active, const Eigen::VectorXd& alpha, double beta) const;
  double precision_of_noise(double degrees, double residual) const;
  double limit(Eigen::Index column, double threshold) const;  // of α of a scaled column
  SparseFit unscaled(const Set& active, const Posterior& scaled, bool converged) const;

  Eigen::MatrixXd triangle_;                       // R of Φ = QR, columns scaled
  Eigen::VectorXd turned_;                         // Qᵀt, scaled
  Eigen::VectorXd scales_;                         // of the columns
  double target_scale_ = 1, rest_ = 0, rows_ = 0;  // rest: of |t|², beyond the columns' reach
};

/// One fit of a sweep over thresholds.
struct LCurvePoint {
  double threshold = 0;
  SparseFit fit;
};

/// The fit at the corner of the L-curve: of all numbers of terms the one farthest below the line from no term to most
/// terms, in log mean square over number of terms.
/// @param points  at least one
/// @return        its place among them
std::size_t corner(const std::vector<LCurvePoint>& points, double mean_square_of_target);

}  // namespace locum::assimilation
