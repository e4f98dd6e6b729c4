#include "static_filter.hpp"

#include <fmt/format.h>

#include <cmath>

namespace locum::assimilation {

StaticFilter::StaticFilter(const Grid& grid, double length, Matrix background, RowVector climate,
                           std::int64_t iterations)
    : Filter(/*members=*/1, {}),
      localisation_(grid, length),
      background_(std::move(background)),
      climate_(std::move(climate)),
      iterations_(iterations)
{
}

std::string StaticFilter::description() const
{
  return fmt::format("{}, covariance of {} states", climate_.size() > 0 ? "optimal interpolation" : "3D-Var",
                     background_.rows());
}

Matrix StaticFilter::analyse(const Matrix& forecast, const Observations& observations, const Forecast& model,
                             std::int64_t)
{
  const RowVector start = climate_.size() > 0 ? climate_ : RowVector(forecast.row(0));
  RowVector state = start;
  const RowVector variance = variance_of(background_);
  for (std::int64_t i = 0; i < iterations_; ++i) {
    // Gauss–Newton: H linearised at the state of now, by small anomalies around it.
    constexpr double small = 1e-4;
    const Matrix around = (small * background_).rowwise() + state;
    CovarianceRoot root = ensemble_root(background_, observations.compare(around).first / small);
    Matrix innovation = observations.values - observations.network->instruments->observe(state).row(0);
    observations.network->error.whiten(innovation);
    // d + H (state − start): what the start lacks, seen linearly.
    Matrix moved(2, state.size());
    moved.row(0) = state + small * (state - start);
    moved.row(1) = state - small * (state - start);
    innovation += observations.compare(moved).first.row(0) / small;
    const RowVector next =
        start +
        kalman_increments(root, innovation, localisation_, observations.network, model.layout().points()).row(0);
    const double change = ((next - state).array().square() / variance.array().max(1e-300)).mean();
    state = next;
    if (change < 1e-12) break;
  }
  return state;
}

}  // namespace locum::assimilation
