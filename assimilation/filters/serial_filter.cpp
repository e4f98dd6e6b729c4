#include "serial_filter.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <cmath>

namespace locum::assimilation {

SerialFilter::SerialFilter(std::int64_t members, InflationOptions inflation, const Grid& grid, double length)
    : Filter(members, inflation), localisation_(grid, length)
{
}

std::string SerialFilter::description() const
{
  return fmt::format("EnSRF, {} members{}", members(),
                     localisation_.local() ? fmt::format(", localisation {:.4g}", localisation_.length()) : "");
}

Matrix SerialFilter::analyse(const Matrix& forecast, const Observations& observations, const Forecast& model,
                             std::int64_t)
{
  const bool local = localisation_.local();
  if (local && observations.network->error.correlated())
    throw OptionError({.doing = "assimilating observations one by one",
                       .where = "observations.correlation",
                       .found = "correlated errors with localisation",
                       .expected = "independent errors, or no localisation",
                       .advice = "filter = \"letkf\""});
  auto [s, d] = observations.compare(forecast);
  // State and observations side by side, all changed alike; column-major, as they are changed column by column.
  Eigen::MatrixXd x = anomalies_of(forecast), y = s;
  RowVector mean = mean_of(forecast);
  const Eigen::Index n = x.rows(), count = y.cols();
  const Neighbours* points = local ? &localisation_.points_near_observations(observations.network) : nullptr;
  const Neighbours* others = local ? &localisation_.observations_near_observations(observations.network) : nullptr;
  const std::int64_t grid_points = model.layout().points(), at_point = model.layout().variables() / grid_points;

  Vector seen(n);
  for (Eigen::Index j = 0; j < count; ++j) {
    seen = y.col(j);
    const double variance = seen.squaredNorm() / static_cast<double>(n - 1);
    const double shrink = 1 / (1 + std::sqrt(1 / (variance + 1)));  // eq. 13 of Whitaker & Hamill, R = 1
    const double scale = 1 / (static_cast<double>(n - 1) * (variance + 1)), innovation = d[j];
    const auto change = [&](Eigen::MatrixXd& anomalies, auto& center, Eigen::Index column, double sign, double weight) {
      const double gain = weight * scale * seen.dot(anomalies.col(column));
      center[column] += sign * gain * innovation;
      anomalies.col(column) -= shrink * gain * seen;
    };
    if (!local) {
      const RowVector gain = scale * seen.transpose() * x, gain_seen = scale * seen.transpose() * y;
      mean += innovation * gain;
      d -= innovation * gain_seen;
      x.noalias() -= shrink * seen * gain;
      y.noalias() -= shrink * seen * gain_seen;
      continue;
    }
    const auto near = [&](const Neighbours& neighbours, const auto& work) {
      for (auto i = neighbours.first[static_cast<std::size_t>(j)];
           i < neighbours.first[static_cast<std::size_t>(j) + 1]; ++i)
        work(neighbours.index[static_cast<std::size_t>(i)], neighbours.weight[static_cast<std::size_t>(i)]);
    };
    near(*points, [&](std::int64_t point, double weight) {
      for (std::int64_t v = 0; v < at_point; ++v) change(x, mean, v * grid_points + point, +1, weight);
    });
    near(*others, [&](std::int64_t other, double weight) { change(y, d, other, -1, weight); });
  }
  Matrix analysis = x;
  analysis.rowwise() += mean;
  return analysis;
}

}  // namespace locum::assimilation
