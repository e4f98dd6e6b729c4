#include "observations.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>
#include <locum/core/random.hpp>

#include <cmath>
#include <map>

namespace locum::assimilation {

// ── Operators ──

Matrix PointObservations::observe(const Eigen::Ref<const Matrix>& members) const
{
  Matrix seen = Matrix::Zero(members.rows(), weights_.rows());
  for (Eigen::Index member = 0; member < members.rows(); ++member) {
    const double* const state = members.row(member).data();
    for (Eigen::Index i = 0; i < weights_.outerSize(); ++i)
      for (Eigen::SparseMatrix<double, Eigen::RowMajor>::InnerIterator at(weights_, i); at; ++at)
        seen(member, i) += at.value() * state[at.col()];
  }
  switch (seen_) {
    case Seen::value:
      break;
    case Seen::absolute:
      seen = seen.cwiseAbs();
      break;
    case Seen::square:
      seen = seen.cwiseAbs2();
      break;
  }
  return seen;
}

RowVector PointObservations::gradient(const RowVector& state, const RowVector& weights) const
{
  RowVector slope = weights;
  if (seen_ != Seen::value) {
    const RowVector values = (weights_ * state.transpose()).transpose();
    if (seen_ == Seen::absolute) slope = slope.cwiseProduct(values.cwiseSign());
    else slope = 2 * slope.cwiseProduct(values);
  }
  return (weights_.transpose() * slope.transpose()).transpose();
}

// ── Errors ──

ObservationError::ObservationError(Vector deviation) : deviation_(std::move(deviation))
{
  for (Eigen::Index i = 0; i < deviation_.size(); ++i)
    if (!(deviation_[i] > 0) || !std::isfinite(deviation_[i]))
      throw OptionError({.doing = "describing the error of observations",
                         .where = fmt::format("observation {}", i),
                         .found = fmt::format("a standard deviation of {}", deviation_[i]),
                         .expected = "above 0",
                         .advice = "observations without error cannot be weighed against a model: deviation = 0.1"});
}

ObservationError ObservationError::with_covariance(Eigen::MatrixXd covariance)
{
  ObservationError error;
  error.deviation_ = covariance.diagonal().cwiseMax(0).cwiseSqrt();
  error.root_.compute(covariance);
  const bool symmetric = covariance.isApprox(covariance.transpose(), 1e-12);
  if (!symmetric || error.root_.info() != Eigen::Success)
    throw OptionError({.doing = "describing the error of observations",
                       .where = "covariance R",
                       .found = symmetric ? "a matrix that is not positive definite" : "a matrix that is not symmetric",
                       .expected = "a covariance matrix",
                       .advice = "a shorter correlation length, or no two observations at one place"});
  error.covariance_ = std::move(covariance);
  return error;
}

Eigen::MatrixXd ObservationError::covariance() const
{
  return correlated() ? covariance_ : Eigen::MatrixXd(deviation_.cwiseAbs2().asDiagonal());
}

void ObservationError::whiten(Eigen::Ref<Matrix> rows) const
{
  if (correlated()) rows = root_.matrixL().solve(rows.transpose()).transpose();
  else rows.array().rowwise() /= deviation_.transpose().array();
}

Matrix ObservationError::weigh(const Matrix& rows) const
{
  if (correlated()) return root_.solve(rows.transpose()).transpose();
  return rows.array().rowwise() / deviation_.transpose().array().square();
}

Matrix ObservationError::colour(const Matrix& normal) const
{
  if (correlated()) return (root_.matrixL() * normal.transpose()).transpose();
  return normal.array().rowwise() * deviation_.transpose().array();
}

ObservationError ObservationError::of(const std::vector<std::int64_t>& chosen) const
{
  if (!correlated()) return ObservationError(Vector(deviation_(chosen)));
  return with_covariance(covariance_(chosen, chosen));
}

std::pair<Matrix, RowVector> Observations::compare(const Eigen::Ref<const Matrix>& members) const
{
  Matrix seen = network->instruments->observe(members);
  const RowVector mean = mean_of(seen);
  seen.rowwise() -= mean;
  Matrix innovation = values - mean;
  network->error.whiten(seen);
  network->error.whiten(innovation);
  return {std::move(seen), innovation.row(0)};
}

// ── Places ──

static std::string text_of(const Place& place)
{
  return fmt::format("{} component {} at ({:.6g})", place.field, place.component, fmt::join(place.position, ", "));
}

Network point_network(const StateLayout& layout, const std::vector<Place>& places, ObservationError error, Seen seen)
{
  const Grid& grid = layout.grid();
  const Geometry geometry(grid);
  const std::size_t axes = grid.axes.size();
  std::vector<Eigen::Triplet<double>> entries;
  Matrix positions(static_cast<Eigen::Index>(places.size()), geometry.period().size());
  std::map<std::tuple<std::string, std::int64_t, std::vector<double>>, std::size_t> before;

  for (std::size_t number = 0; number < places.size(); ++number) {
    const Place& place = places[number];
    const auto refuse = [&](const std::string& found, const std::string& expected, const std::string& advice) {
      throw DataError({.doing = "placing observations",
                       .where = fmt::format("observation {}, {}", number, text_of(place)),
                       .found = found,
                       .expected = expected,
                       .advice = advice});
    };
    if (place.position.size() != axes)
      refuse(fmt::format("{} coordinates", place.position.size()), fmt::format("{}, as the grid has axes", axes), "");
    if (place.component < 0 || place.component >= layout.components(place.field))
      refuse("no such component", fmt::format("below {}", layout.components(place.field)), "");

    // Corners of the cell that holds the place, and their weights.
    std::vector<std::pair<std::int64_t, double>> corners = {{0, 1.0}};
    for (std::size_t i = 0; i < axes; ++i) {
      const Axis& axis = grid.axes[i];
      double at = (place.position[i] - axis.origin) / axis.spacing;
      const double last = static_cast<double>(axis.points - 1), extent = static_cast<double>(axis.points);
      constexpr double rounding = 1e-9;  // of coordinates that were computed
      const double end = axis.periodic ? extent : last;
      if (!std::isfinite(at) || at < -rounding || at > end + rounding)
        refuse(fmt::format("{} = {:.6g}", axis.name, place.position[i]),
               fmt::format("from {:.6g} to {:.6g}", axis.origin, axis.origin + axis.spacing * end),
               "leave out what lies outside of the domain");
      at = std::clamp(at, 0.0, end);
      auto lower = static_cast<std::int64_t>(at);
      double fraction = at - static_cast<double>(lower);
      if (!axis.periodic && lower == axis.points - 1 && lower > 0) lower -= 1, fraction = 1;
      std::vector<std::pair<std::int64_t, double>> finer;
      for (const auto& [point, weight] : corners) {
        const std::int64_t row = point * axis.points;
        if (fraction < 1) finer.emplace_back(row + lower % axis.points, weight * (1 - fraction));
        if (fraction > 0) finer.emplace_back(row + (lower + 1) % axis.points, weight * fraction);
      }
      corners = std::move(finer);
    }
    const std::int64_t first = layout.first_variable(place.field) + place.component * layout.points();
    for (const auto& [point, weight] : corners)
      entries.emplace_back(static_cast<int>(number), static_cast<int>(first + point), weight);
    positions.row(static_cast<Eigen::Index>(number)) = geometry.place(place.position);

    const auto [same, is_new] = before.try_emplace({place.field, place.component, place.position}, number);
    if (!is_new)
      refuse(fmt::format("the same place as observation {}", same->second), "every place once",
             "leave one of them out, or take their mean");
  }
  Eigen::SparseMatrix<double, Eigen::RowMajor> weights(static_cast<Eigen::Index>(places.size()), layout.variables());
  weights.setFromTriplets(entries.begin(), entries.end());
  return {std::make_shared<PointObservations>(std::move(weights), seen), std::move(error), std::move(positions)};
}

static std::vector<Place> for_all_components(const StateLayout& layout, const std::vector<std::string>& fields,
                                             const std::vector<std::vector<double>>& positions)
{
  std::vector<Place> places;
  for (const std::string& field : fields)
    for (std::int64_t component = 0; component < layout.components(field); ++component)
      for (const auto& position : positions) places.push_back({field, component, position});
  return places;
}

std::vector<Place> grid_places(const StateLayout& layout, const std::vector<std::string>& fields, std::int64_t every)
{
  std::vector<std::vector<double>> positions = {{}};
  for (const Axis& axis : layout.grid().axes) {
    std::vector<std::vector<double>> finer;
    for (const auto& position : positions)
      for (std::int64_t point = 0; point < axis.points; point += every) {
        finer.push_back(position);
        finer.back().push_back(axis.origin + axis.spacing * static_cast<double>(point));
      }
    positions = std::move(finer);
  }
  return for_all_components(layout, fields, positions);
}

std::vector<Place> random_places(const StateLayout& layout, const std::vector<std::string>& fields, std::int64_t count,
                                 std::uint64_t seed)
{
  const auto& axes = layout.grid().axes;
  const auto rank = static_cast<std::int64_t>(axes.size());
  const Tensor drawn = RandomStream(seed, "places of observations").uniform({count, rank});
  std::vector<std::vector<double>> positions;
  for (std::int64_t i = 0; i < count; ++i) {
    std::vector<double> position;
    for (std::int64_t axis = 0; axis < rank; ++axis) {
      const Axis& along = axes[static_cast<std::size_t>(axis)];
      const auto cells = static_cast<double>(along.periodic ? along.points : along.points - 1);
      position.push_back(along.origin + along.spacing * cells * drawn[i][axis].item<double>());
    }
    positions.push_back(std::move(position));
  }
  return for_all_components(layout, fields, positions);
}

ObservationError correlated_error(const StateLayout& layout, const std::vector<Place>& places, double deviation,
                                  double length)
{
  const Geometry geometry(layout.grid());
  const auto count = static_cast<Eigen::Index>(places.size());
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(count, count);
  for (Eigen::Index i = 0; i < count; ++i)
    for (Eigen::Index j = 0; j < count; ++j) {
      const Place &a = places[static_cast<std::size_t>(i)], &b = places[static_cast<std::size_t>(j)];
      if (a.field == b.field && a.component == b.component)
        covariance(i, j) =
            deviation * deviation *
            std::exp(-geometry.distance(geometry.place(a.position), geometry.place(b.position)) / length);
    }
  return ObservationError::with_covariance(std::move(covariance));
}

}  // namespace locum::assimilation
