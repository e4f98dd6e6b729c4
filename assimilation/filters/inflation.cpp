#include "inflation.hpp"

#include <algorithm>
#include <cmath>

#include "../forecast.hpp"
#include "ensemble_transform.hpp"

namespace locum::assimilation {

void inflate(Matrix& analysis, const Matrix& forecast, const InflationOptions& options, std::uint64_t seed,
             std::int64_t cycle)
{
  const bool relaxed = options.rtps > 0 || options.rtpp > 0;
  if (analysis.rows() < 2 || (options.factor == 1 && !relaxed && !options.rotate)) return;
  const RowVector mean = mean_of(analysis);
  analysis.rowwise() -= mean;
  if (options.rtpp > 0) analysis = (1 - options.rtpp) * analysis + options.rtpp * anomalies_of(forecast);
  if (options.rtps > 0) {
    const auto spread = [](const RowVector& variance) { return variance.array().sqrt().eval(); };
    const auto before = spread(variance_of(forecast)), after = spread(variance_of(analysis));
    const auto factor = (after > 0).select(1 + options.rtps * (before - after) / after, 1.0).eval();
    analysis.array().rowwise() *= factor;
  }
  if (options.rotate) {
    constexpr std::int64_t reflections = 8;
    rotate(analysis, normal(seed, "rotation of members", cycle, reflections, analysis.rows()));
  }
  analysis = (options.factor * analysis).rowwise() + mean;
}

double AdaptiveInflation::update(const Matrix& s, const RowVector& d)
{
  const auto count = static_cast<double>(d.size());
  const double spread = s.squaredNorm() / static_cast<double>(s.rows() - 1);  // tr(H P Hᵀ R⁻¹)
  if (!(spread > 0)) return factor;
  constexpr double variance = 0.04 * 0.04;
  const double observed = (d.squaredNorm() - count) / spread;
  const double uncertainty = 2 / count * std::pow((factor * spread + count) / spread, 2);
  factor = std::max(1.0, (uncertainty * factor + variance * observed) / (uncertainty + variance));
  return factor;
}

}  // namespace locum::assimilation
