#pragma once
#include <array>
#include <map>
#include <string>

#include "method.hpp"

namespace locum::assimilation {

/// What a cycle is judged by. Scores against the truth are NaN where it is not known; those against observations use
/// whitened innovations d = R^{−1/2} (y − H mean), of the forecast (b) and the analysis (a), p in number.
struct Scores {
  double time = 0;
  double rmse_forecast = 0;  ///< Of the mean, over all variables.
  double rmse_analysis = 0;
  double rmse_smoothed = 0;    ///< Of smoothers, some times before; NaN without.
  double spread_forecast = 0;  ///< Root of the mean variance of the members.
  double spread_analysis = 0;
  double crps = 0;          ///< Continuous ranked probability score of the analysis, mean over variables.
  double innovation = 0;    ///< Root mean square of d_b.
  double chi_squared = 0;   ///< dᵀ (H P Hᵀ + R)⁻¹ d / p of the forecast: about 1 if spread and R are right.
  double error_ratio = 0;   ///< Mean of d_a d_b: R as Desroziers et al. (2005) estimate it, over R as it was said.
  double spread_ratio = 0;  ///< Mean of (d_b − d_a) d_b over that of H P Hᵀ: 1 if the spread is right.

  static constexpr std::array names = {
      "time", "rmse_forecast", "rmse_analysis", "rmse_smoothed", "spread_forecast", "spread_analysis",
      "crps", "innovation",    "chi_squared",   "error_ratio",   "spread_ratio"};
  std::array<double, names.size()> values() const
  {
    return {time, rmse_forecast, rmse_analysis, rmse_smoothed, spread_forecast, spread_analysis,
            crps, innovation,    chi_squared,   error_ratio,   spread_ratio};
  }
};

/// @param truth     at the observations' time, [variable]; empty: not known
/// @param smoothed  the truth at the time of analysis.smoothed; empty: not known
Scores score(const Analysis& analysis, const Observations& observations, const RowVector& truth,
             const RowVector& smoothed);

/// Continuous ranked probability score of an ensemble for what came true, mean over variables.
/// Source: Hersbach, Weather Forecast. 15 (2000): mean |x_i − y| − ½ mean |x_i − x_j|.
/// @param weights  of the members, summing to 1; empty: all alike
double crps(const Eigen::Ref<const Matrix>& members, const RowVector& truth, const Vector& weights = {});

/// How often the truth is above 0, 1, … n of the members: flat if they and the truth are draws of the same.
/// @param weights  summing to 1: members that count for less, so many n-ths of them; empty: all alike
/// @param counts   [n + 1], added to
void count_ranks(const Eigen::Ref<const Matrix>& members, const Vector& weights, const RowVector& truth,
                 Eigen::ArrayXd& counts);

}  // namespace locum::assimilation
