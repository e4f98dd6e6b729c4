#pragma once
#include "filter.hpp"
#include "gain.hpp"

namespace locum::assimilation {

/// One state and a covariance of its error that does not change: 3D-Var, or optimal interpolation, whose background is
/// the climate's mean in place of a forecast. Observations that are not linear are linearised again and again.
/// Sources: Lorenc, Q. J. R. Meteorol. Soc. 112 (1986); Gandin (1963).
class StaticFilter : public Filter {
 public:
  /// @param background  anomalies whose covariance it is, as an ensemble's; [state, variable]
  /// @param climate     the mean to start from, for optimal interpolation; empty: the forecast
  StaticFilter(const Grid& grid, double length, Matrix background, RowVector climate, std::int64_t iterations);
  std::string description() const override;

 protected:
  Matrix analyse(const Matrix& forecast, const Observations& observations, const Forecast& model,
                 std::int64_t number) override;

 private:
  Localisation localisation_;
  Matrix background_;
  RowVector climate_;
  std::int64_t iterations_;
};

}  // namespace locum::assimilation
