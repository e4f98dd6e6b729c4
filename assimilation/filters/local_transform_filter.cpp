#include "local_transform_filter.hpp"

#include <fmt/format.h>
#include <locum/core/agree.hpp>
#include <locum/core/error.hpp>
#include <locum/core/parallel.hpp>

#include <cmath>

#include "ensemble_transform.hpp"
#include "small_products.hpp"

namespace locum::assimilation {

LocalTransformFilter::LocalTransformFilter(std::int64_t members, InflationOptions inflation, const Grid& grid,
                                           double length)
    : Filter(members, inflation), localisation_(grid, length)
{
  if (!localisation_.local())
    throw OptionError({.doing = "setting up the filter",
                       .where = "assimilation.localisation",
                       .found = "0",
                       .expected = "a length: letkf is local",
                       .advice = "filter = \"etkf\" for none"});
}

std::string LocalTransformFilter::description() const
{
  return fmt::format("LETKF, {} members, localisation {:.4g}", members(), localisation_.length());
}

Matrix LocalTransformFilter::analyse(const Matrix& forecast, const Observations& observations, const Forecast& model,
                                     std::int64_t)
{
  const Network& network = *observations.network;
  const Neighbours& near = localisation_.observations_near_points(observations.network);
  const bool correlated = network.error.correlated();
  const Eigen::Index n = forecast.rows();

  // What members would have seen, observation after observation: a point gathers rows. Correlated errors are whitened
  // among those that a point sees.
  Matrix anomalies = network.instruments->observe(forecast);
  const RowVector seen = mean_of(anomalies);
  anomalies.rowwise() -= seen;
  Matrix innovation = observations.values - seen;
  if (!correlated) {
    network.error.whiten(anomalies);
    network.error.whiten(innovation);
  }
  const Matrix by_observation = anomalies.transpose();

  const StateLayout& layout = model.layout();
  const std::int64_t points = layout.points(), at_point = layout.variables() / points;
  const RowVector mean = mean_of(forecast);
  Matrix analysis(points, n * at_point);  // [point, variable of the point, member]
  const Communicator& ranks = model.ranks();
  const auto begin = first_row(points, ranks.rank(), ranks.size()),
             end = first_row(points, ranks.rank() + 1, ranks.size());

  agree(ranks, [&] {
    parallel_for(begin, end, /*least=*/64, [&](std::int64_t first, std::int64_t last) {
      EnsembleTransform transform;
      Matrix local;  // [observation, member]
      Vector local_innovation, projections, column(n);
      Matrix products;
      for (std::int64_t point = first; point < last; ++point) {
        const auto from = near.first[static_cast<std::size_t>(point)];
        const auto count = near.first[static_cast<std::size_t>(point) + 1] - from;
        const auto* const index = near.index.data() + from;
        const auto* const weight = near.weight.data() + from;
        if (count > 0) {
          local.resize(count, n);
          local_innovation.resize(count);
          for (Eigen::Index i = 0; i < count; ++i) {
            const double root = std::sqrt(weight[i]);
            local.row(i) = root * by_observation.row(index[i]);
            local_innovation[i] = root * innovation(0, index[i]);
          }
          if (correlated) {
            Matrix both(n + 1, count);
            both.topRows(n) = local.transpose();
            both.row(n) = local_innovation.transpose();
            network.error.of({index, index + count}).whiten(both);
            local = both.topRows(n).transpose();
            local_innovation = both.row(n).transpose();
          }
          gram(local, products);
          projections.noalias() = local.transpose() * local_innovation;
          transform.compute_from(products, projections, static_cast<double>(n - 1));
        }
        for (std::int64_t v = 0; v < at_point; ++v) {
          const Eigen::Index variable = v * points + point;
          column = forecast.col(variable).array() - mean[variable];
          auto result = analysis.row(point).segment(v * n, n);
          if (count > 0) result.transpose().noalias() = transform.weights() * column;
          else result = column.transpose();
          result.array() += mean[variable];
        }
      }
    });
  });
  share_rows(ranks, analysis);
  Matrix members(n, forecast.cols());
  for (std::int64_t v = 0; v < at_point; ++v)
    members.middleCols(v * points, points) = analysis.middleCols(v * n, n).transpose();
  return members;
}

}  // namespace locum::assimilation
