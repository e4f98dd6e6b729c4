#pragma once
#include <cstdint>

#include "../ensemble.hpp"

namespace locum::assimilation {

/// How the spread that sampling errors and model error take from an ensemble is given back.
struct InflationOptions {
  double factor = 1;
  double rtps = 0;
  double rtpp = 0;
  bool adaptive = false;
  bool rotate = false;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("inflation", factor, "factor of the analysis's anomalies");
    option("rtps", rtps, "relaxation of their spread towards the forecast's (Whitaker & Hamill 2012), 0 to 1");
    option("rtpp", rtpp, "relaxation of the anomalies towards the forecast's (Zhang et al. 2004), 0 to 1");
    option("adaptive_inflation", adaptive,
           "inflate forecasts as much as innovations ask for, one factor for all (Miyoshi 2011)");
    option("rotate", rotate, "turn the anomalies at random after each analysis; mean and covariance stay");
  }
};

/// Changes the anomalies of an analysis as the options say; the mean stays. @param cycle  number, for `rotate`
void inflate(Matrix& analysis, const Matrix& forecast, const InflationOptions& options, std::uint64_t seed,
             std::int64_t cycle);

/// The factor of the forecast's covariance that innovations ask for, followed from cycle to cycle as by a scalar Kalman
/// filter.
///
/// Source: Miyoshi, Mon. Wea. Rev. 139 (2011), eqs. 6–10, for one factor; its deviation in the background is .04.
class AdaptiveInflation {
 public:
  /// Of the covariance, for the forecast with these whitened anomalies [member, observation] and innovation; at least
  /// 1.
  double update(const Matrix& s, const RowVector& d);
  double factor = 1;
};

}  // namespace locum::assimilation
