#pragma once
#include "../localisation.hpp"
#include "filter.hpp"

namespace locum::assimilation {

/// The local ensemble transform Kalman filter: a transform for every point of the grid, from the observations near it,
/// whose errors grow with distance (R⁻¹ times gaspari_cohn()). Points are shared by ranks, and by threads within them.
///
/// Source: Hunt, Kostelich & Szunyogh, Physica D 230 (2007).
class LocalTransformFilter : public Filter {
 public:
  /// @throws OptionError  if `length` is not positive
  LocalTransformFilter(std::int64_t members, InflationOptions inflation, const Grid& grid, double length);
  std::string description() const override;

 protected:
  Matrix analyse(const Matrix& forecast, const Observations& observations, const Forecast& model,
                 std::int64_t number) override;

 private:
  Localisation localisation_;
};

}  // namespace locum::assimilation
