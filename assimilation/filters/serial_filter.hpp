#pragma once
#include "../localisation.hpp"
#include "filter.hpp"

namespace locum::assimilation {

/// The serial ensemble square root filter (EnSRF; for one observation at a time the EAKF is the same): observation
/// after observation, its gain tapered with the distance. What members will have seen of the later ones is carried
/// along, so that H may be any function.
///
/// Sources: Whitaker & Hamill, Mon. Wea. Rev. 130 (2002); Anderson, ibid. 131 (2003).
class SerialFilter : public Filter {
 public:
  /// @param length  of the localisation, 0 for none
  SerialFilter(std::int64_t members, InflationOptions inflation, const Grid& grid, double length);
  std::string description() const override;

 protected:
  /// @throws OptionError  if errors are correlated and there is localisation: whitened observations are nowhere
  Matrix analyse(const Matrix& forecast, const Observations& observations, const Forecast& model,
                 std::int64_t number) override;

 private:
  Localisation localisation_;
};

}  // namespace locum::assimilation
