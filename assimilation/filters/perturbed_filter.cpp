#include "perturbed_filter.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <cmath>

namespace locum::assimilation {

PerturbedFilter::PerturbedFilter(std::int64_t members, InflationOptions inflation, const Grid& grid, double length)
    : Filter(members, inflation), localisation_(grid, length)
{
}

std::string PerturbedFilter::description() const
{
  return fmt::format("EnKF with perturbed observations, {} members{}", members(),
                     localisation_.local() ? fmt::format(", localisation {:.4g}", localisation_.length()) : "");
}

CovarianceRoot PerturbedFilter::covariance(const Matrix& forecast, const Observations& observations) const
{
  return ensemble_root(anomalies_of(forecast), observations.compare(forecast).first);
}

Matrix PerturbedFilter::analyse(const Matrix& forecast, const Observations& observations, const Forecast& model,
                                std::int64_t number)
{
  if (localisation_.local() && observations.network->error.correlated())
    throw OptionError({.doing = "assimilating observations",
                       .where = "observations.correlation",
                       .found = "correlated errors with localisation",
                       .expected = "independent errors, or no localisation",
                       .advice = "filter = \"letkf\""});
  Matrix innovations = (-observations.network->instruments->observe(forecast)).rowwise() + observations.values;
  observations.network->error.whiten(innovations);
  innovations +=
      std::sqrt(static_cast<double>(forecast.rows()) / static_cast<double>(forecast.rows() - 1)) *
      anomalies_of(normal(model.seed(), "perturbed observations", number, innovations.rows(), innovations.cols()));
  return forecast + kalman_increments(covariance(forecast, observations), innovations, localisation_,
                                      observations.network, model.layout().points());
}

HybridFilter::HybridFilter(std::int64_t members, InflationOptions inflation, const Grid& grid, double length,
                           Matrix background, double weight)
    : PerturbedFilter(members, inflation, grid, length), background_(std::move(background)), weight_(weight)
{
  if (!(weight >= 0 && weight <= 1))
    throw OptionError({.doing = "setting up the filter",
                       .where = "assimilation.hybrid",
                       .found = fmt::format("{}", weight),
                       .expected = "the weight of the ensemble's covariance, 0 to 1",
                       .advice = "hybrid = 0.5"});
}

std::string HybridFilter::description() const
{
  return fmt::format("hybrid EnVar, {} members, weight {} of their covariance", members(), weight_);
}

CovarianceRoot HybridFilter::covariance(const Matrix& forecast, const Observations& observations) const
{
  const CovarianceRoot ensemble = ensemble_root(anomalies_of(forecast), observations.compare(forecast).first, weight_);
  const RowVector mean = mean_of(forecast);
  const CovarianceRoot fixed =
      ensemble_root(background_, observations.compare(background_.rowwise() + mean).first, 1 - weight_);
  CovarianceRoot both{Matrix(ensemble.anomalies.rows() + fixed.anomalies.rows(), forecast.cols()),
                      Matrix(ensemble.seen.rows() + fixed.seen.rows(), ensemble.seen.cols())};
  both.anomalies << ensemble.anomalies, fixed.anomalies;
  both.seen << ensemble.seen, fixed.seen;
  return both;
}

}  // namespace locum::assimilation
