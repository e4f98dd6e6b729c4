#pragma once
#include "filter.hpp"
#include "gain.hpp"

namespace locum::assimilation {

/// The stochastic ensemble Kalman filter: every member is drawn to observations with an error of its own, of mean zero
/// over the members.
/// Source: Burgers, van Leeuwen & Evensen, Mon. Wea. Rev. 126 (1998).
class PerturbedFilter : public Filter {
 public:
  /// @param length  of the localisation of covariances, 0 for none
  PerturbedFilter(std::int64_t members, InflationOptions inflation, const Grid& grid, double length);
  std::string description() const override;

 protected:
  /// @throws OptionError  if errors are correlated and there is localisation
  Matrix analyse(const Matrix& forecast, const Observations& observations, const Forecast& model,
                 std::int64_t number) override;
  /// The forecast's covariance.
  virtual CovarianceRoot covariance(const Matrix& forecast, const Observations& observations) const;

  Localisation localisation_;
};

/// The same with a covariance that does not change beside the ensemble's (hybrid EnVar): weight · ensemble +
/// (1 − weight) · static.
/// Sources: Hamill & Snyder, Mon. Wea. Rev. 128 (2000); Lorenc, Q. J. R. Meteorol. Soc. 129 (2003).
class HybridFilter : public PerturbedFilter {
 public:
  /// @param background  anomalies whose covariance is the static one, as an ensemble's; [state, variable]
  HybridFilter(std::int64_t members, InflationOptions inflation, const Grid& grid, double length, Matrix background,
               double weight);
  std::string description() const override;

 protected:
  CovarianceRoot covariance(const Matrix& forecast, const Observations& observations) const override;

 private:
  Matrix background_;
  double weight_;
};

}  // namespace locum::assimilation
