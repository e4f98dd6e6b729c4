#include "filter.hpp"

#include <cmath>

namespace locum::assimilation {

Analysis Filter::cycle(const Matrix& members, double time, std::span<const Observations> observations,
                       const Forecast& forecast, std::int64_t number)
{
  const Observations& seen = observations.front();
  Analysis result;
  result.forecast = forecast.advance(members, time, seen.time - time, number);
  if (inflation_.adaptive) {
    const auto [s, d] = seen.compare(result.forecast);
    const RowVector mean = mean_of(result.forecast);
    result.forecast = (std::sqrt(adaptive_.update(s, d)) * anomalies_of(result.forecast)).rowwise() + mean;
  }
  result.members = analyse(result.forecast, seen, forecast, number);
  inflate(result.members, result.forecast, inflation_, forecast.seed(), number);
  return result;
}

void Filter::save(io::Checkpoint& checkpoint) const { checkpoint.put("method/inflation", adaptive_.factor); }
void Filter::load(const io::Checkpoint& checkpoint) { adaptive_.factor = checkpoint.real("method/inflation"); }

}  // namespace locum::assimilation
