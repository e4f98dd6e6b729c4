#pragma once
#include <locum/assimilation/forecast.hpp>
#include <locum/assimilation/observations.hpp>
#include <locum/core/random.hpp>
#include <locum/physics/ordinary/lorenz.hpp>
#include <locum/solvers/reference/ordinary/runge_kutta.hpp>

#include <Eigen/LU>
#include <memory>
#include <vector>

namespace locum::tests {

using assimilation::anomalies_of, assimilation::correlated_error, assimilation::grid_places, assimilation::mean_of,
    assimilation::normal, assimilation::point_network;
using assimilation::Matrix, assimilation::RowVector, assimilation::Vector, assimilation::Network,
    assimilation::ObservationError, assimilation::Observations, assimilation::Seen, assimilation::StateLayout;

/// A model that multiplies states by a number: linear, so that Kalman's formulas are exact.
class Scaling : public EvolvingSolver {
 public:
  explicit Scaling(double factor) : factor_(factor) {}
  std::string description() const override { return "scaling"; }
  Sample advance(const Sample& state, double duration) override
  {
    Sample after = state;
    for (auto& [name, field] : after.fields) field.values = field.values * factor_;
    after.time = state.time + duration;
    return after;
  }

 private:
  double factor_;
};

/// `members` random states of one field "u" on a periodic line of `points`, spacing 1, mean `mean`.
inline Sample random_line(std::int64_t points, std::int64_t members, std::uint64_t seed, double mean = 0)
{
  Grid grid;
  grid.axes = {{.name = "x", .points = points, .origin = 0, .spacing = 1, .periodic = true, .unit = "1"}};
  const Tensor values = mean + RandomStream(seed, "line").normal({members, 1, points});
  return {.domain = grid, .fields = {{"u", {.values = values, .unit = "1"}}}, .scalars = {}, .time = 0};
}

/// Observations of every `every`-th point with an error of `deviation`.
inline Observations line_observations(const StateLayout& layout, std::int64_t every, double deviation,
                                      std::uint64_t seed, double correlation = 0, Seen seen = Seen::value)
{
  const auto places = grid_places(layout, {"u"}, every);
  const auto count = static_cast<Eigen::Index>(places.size());
  ObservationError error = correlation > 0 ? correlated_error(layout, places, deviation, correlation)
                                           : ObservationError(Vector::Constant(count, deviation));
  const auto network = std::make_shared<const Network>(point_network(layout, places, std::move(error), seen));
  return {.time = 1, .network = network, .values = normal(seed, "observed", 0, 1, count).row(0)};
}

/// What Kalman's formulas make of the mean and covariance of members.
struct Kalman {
  RowVector mean;
  Eigen::MatrixXd covariance;
};
inline Kalman kalman(const Matrix& members, const Observations& seen)
{
  const Matrix anomalies = anomalies_of(members);
  const Eigen::MatrixXd p = anomalies.transpose() * anomalies / static_cast<double>(members.rows() - 1);
  const Eigen::MatrixXd h =
      seen.network->instruments->observe(Matrix::Identity(members.cols(), members.cols())).transpose();
  const Eigen::MatrixXd gain = p * h.transpose() * (h * p * h.transpose() + seen.network->error.covariance()).inverse();
  const RowVector mean = mean_of(members);
  return {mean + (seen.values - mean * h.transpose()) * gain.transpose(),
          (Eigen::MatrixXd::Identity(p.rows(), p.rows()) - gain * h) * p};
}

inline Eigen::MatrixXd covariance_of(const Matrix& members)
{
  const Matrix anomalies = anomalies_of(members);
  return anomalies.transpose() * anomalies / static_cast<double>(members.rows() - 1);
}

}  // namespace locum::tests
