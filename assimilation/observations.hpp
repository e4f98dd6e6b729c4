#pragma once
#include <Eigen/Cholesky>
#include <Eigen/SparseCore>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ensemble.hpp"
#include "geometry.hpp"

namespace locum::assimilation {

/// What instruments see of a state, H. Derive from it for instruments of your own.
class ObservationOperator {
 public:
  virtual ~ObservationOperator() = default;
  virtual std::int64_t size() const = 0;
  /// H of every member. @param members  [member, variable] @return [member, observation]
  virtual Matrix observe(const Eigen::Ref<const Matrix>& members) const = 0;
  /// H′ᵀ weights: the gradient of weights · H(state), for variational methods.
  virtual RowVector gradient(const RowVector& state, const RowVector& weights) const = 0;
};

/// What is seen of the value at a place.
enum class Seen {
  value,
  absolute,  ///< |u|: a speed without direction.
  square     ///< u²: an energy.
};
constexpr auto option_names(Seen)
{
  return std::array{std::pair{Seen::value, "value"}, std::pair{Seen::absolute, "absolute"},
                    std::pair{Seen::square, "square"}};
}

/// Values of fields at points: interpolated linearly along every axis, then seen through a function.
class PointObservations : public ObservationOperator {
 public:
  /// @param weights  [observation, variable]
  PointObservations(Eigen::SparseMatrix<double, Eigen::RowMajor> weights, Seen seen)
      : weights_(std::move(weights)), seen_(seen)
  {
  }
  std::int64_t size() const override { return weights_.rows(); }
  Matrix observe(const Eigen::Ref<const Matrix>& members) const override;
  RowVector gradient(const RowVector& state, const RowVector& weights) const override;

 private:
  Eigen::SparseMatrix<double, Eigen::RowMajor> weights_;
  Seen seen_;
};

/// The Gaussian error of observations, its covariance R: independent, or with correlations.
class ObservationError {
 public:
  /// @param deviation  of each observation, in its unit
  /// @throws OptionError  if one is not positive
  explicit ObservationError(Vector deviation);
  /// @param covariance  [observation, observation]
  /// @throws OptionError  if it is not symmetric and positive definite
  static ObservationError with_covariance(Eigen::MatrixXd covariance);

  std::int64_t size() const noexcept { return deviation_.size(); }
  const Vector& deviation() const noexcept { return deviation_; }
  bool correlated() const noexcept { return covariance_.size() > 0; }
  Eigen::MatrixXd covariance() const;
  /// rows · R^{−T/2}: errors of unit variance, independent. @param rows  [any, observation]; changed in place
  void whiten(Eigen::Ref<Matrix> rows) const;
  /// rows · R⁻¹. @param rows  [any, observation]
  Matrix weigh(const Matrix& rows) const;
  /// The error that independent standard normal numbers make: normal · R^{T/2}.
  Matrix colour(const Matrix& normal) const;
  /// Of some of the observations.
  ObservationError of(const std::vector<std::int64_t>& chosen) const;

 private:
  ObservationError() = default;

  Vector deviation_;
  Eigen::MatrixXd covariance_;  // empty: independent
  Eigen::LLT<Eigen::MatrixXd> root_;
};

/// Instruments, and how well they see. The same for all times, or one a time.
struct Network {
  std::shared_ptr<const ObservationOperator> instruments;
  ObservationError error;
  Matrix positions;  ///< [observation, dimension], as Geometry has them; for localisation.
};

/// What was seen at a time.
struct Observations {
  double time = 0;
  std::shared_ptr<const Network> network;
  RowVector values;  ///< [observation]

  /// Whitened anomalies of what members would have seen, [member, observation], and the whitened innovation of their
  /// mean.
  std::pair<Matrix, RowVector> compare(const Eigen::Ref<const Matrix>& members) const;
};

/// A place where a component of a field is observed.
struct Place {
  std::string field;
  std::int64_t component = 0;
  std::vector<double> position;  ///< In the grid's coordinates, slowest axis first.
};

/// Instruments at places on the grid of a state.
/// @throws DataError  naming the first place that is outside of the grid, or the same as another's
Network point_network(const StateLayout& layout, const std::vector<Place>& places, ObservationError error,
                      Seen seen = Seen::value);

/// All points of the grid whose number along every axis is a multiple of `every`, for all components of the fields.
std::vector<Place> grid_places(const StateLayout& layout, const std::vector<std::string>& fields, std::int64_t every);
/// `count` points drawn uniformly in the box, the same for all components of the fields; seeded.
std::vector<Place> random_places(const StateLayout& layout, const std::vector<std::string>& fields, std::int64_t count,
                                 std::uint64_t seed);
/// R with deviations and correlations exp(−distance / length) between observations of the same component of a field.
ObservationError correlated_error(const StateLayout& layout, const std::vector<Place>& places, double deviation,
                                  double length);

}  // namespace locum::assimilation
