#include "geometry.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace locum::assimilation {

namespace {

constexpr double earth_radius = 6371.0;  // km, mean

Eigen::RowVectorXd on_sphere(double latitude, double longitude)
{
  constexpr double degree = std::numbers::pi / 180;
  Eigen::RowVectorXd place(3);
  place << std::cos(latitude * degree) * std::cos(longitude * degree),
      std::cos(latitude * degree) * std::sin(longitude * degree), std::sin(latitude * degree);
  return earth_radius * place;
}

}  // namespace

Geometry::Geometry(const Grid& grid) : grid_(grid), period_(Eigen::RowVectorXd::Zero(grid.axes.size()))
{
  for (std::size_t i = 0; i < grid.axes.size(); ++i) {
    const Axis& axis = grid.axes[i];
    if (axis.periodic) period_[static_cast<Eigen::Index>(i)] = axis.spacing * static_cast<double>(axis.points);
    if (axis.unit == "degrees_north") latitude_ = static_cast<int>(i);
    if (axis.unit == "degrees_east") longitude_ = static_cast<int>(i);
  }
  if (grid.axes.size() != 2 || longitude_ < 0) latitude_ = -1;
  if (sphere()) period_ = Eigen::RowVectorXd::Zero(3);
}

Eigen::RowVectorXd Geometry::place(const std::vector<double>& position) const
{
  if (sphere())
    return on_sphere(position[static_cast<std::size_t>(latitude_)], position[static_cast<std::size_t>(longitude_)]);
  return Eigen::Map<const Eigen::RowVectorXd>(position.data(), static_cast<Eigen::Index>(position.size()));
}

Matrix Geometry::points() const
{
  std::int64_t count = 1;
  for (const Axis& axis : grid_.axes) count *= axis.points;
  Matrix places(count, period_.size());
  std::vector<double> position(grid_.axes.size());
  for (std::int64_t point = 0; point < count; ++point) {
    std::int64_t rest = point;
    for (std::size_t i = grid_.axes.size(); i-- > 0;) {
      const Axis& axis = grid_.axes[i];
      position[i] = axis.origin + axis.spacing * static_cast<double>(rest % axis.points);
      rest /= axis.points;
    }
    places.row(point) = place(position);
  }
  return places;
}

double Geometry::distance(const Eigen::Ref<const Eigen::RowVectorXd>& a,
                          const Eigen::Ref<const Eigen::RowVectorXd>& b) const
{
  double sum = 0;
  for (Eigen::Index i = 0; i < a.size(); ++i) {
    double along = std::abs(a[i] - b[i]);
    if (period_[i] > 0) {
      along = std::fmod(along, period_[i]);
      along = std::min(along, period_[i] - along);
    }
    sum += along * along;
  }
  const double straight = std::sqrt(sum);
  return sphere() ? 2 * earth_radius * std::asin(std::min(1.0, straight / (2 * earth_radius))) : straight;
}

double gaspari_cohn(double distance, double length)
{
  const double z = distance / length;
  if (z >= 2) return 0;
  if (z <= 1) return (((-z / 4 + 0.5) * z + 5.0 / 8) * z - 5.0 / 3) * z * z + 1;
  return std::max(0.0, ((((z / 12 - 0.5) * z + 5.0 / 8) * z + 5.0 / 3) * z - 5) * z + 4 - 2 / (3 * z));
}

Neighbours find_neighbours(const Geometry& geometry, const Matrix& places, const Matrix& others, double length)
{
  // Along the dimension in which the others spread most they are sorted, so that each place looks at a strip only.
  Eigen::Index along = 0;
  if (others.rows() > 0) (others.colwise().maxCoeff() - others.colwise().minCoeff()).maxCoeff(&along);
  const double period = geometry.period()[along];
  std::vector<std::pair<double, std::int64_t>> sorted;
  for (std::int64_t i = 0; i < others.rows(); ++i) {
    const double at = others(i, along);
    sorted.emplace_back(period > 0 ? at - period * std::floor(at / period) : at, i);
  }
  std::sort(sorted.begin(), sorted.end());

  const double reach = 2 * length;
  Neighbours found;
  found.first.push_back(0);
  std::vector<std::pair<std::int64_t, double>> near;
  for (std::int64_t place = 0; place < places.rows(); ++place) {
    near.clear();
    const auto look = [&](double from, double to) {
      for (auto other = std::lower_bound(sorted.begin(), sorted.end(), std::pair{from, std::int64_t{-1}});
           other != sorted.end() && other->first <= to; ++other) {
        const double weight = gaspari_cohn(geometry.distance(places.row(place), others.row(other->second)), length);
        if (weight > 0) near.emplace_back(other->second, weight);
      }
    };
    double at = places(place, along);
    if (period > 0) at -= period * std::floor(at / period);
    if (period > 0 && 2 * reach >= period) look(0, period);
    else {
      look(at - reach, at + reach);
      if (period > 0 && at - reach < 0) look(at - reach + period, period);
      if (period > 0 && at + reach > period) look(0, at + reach - period);
    }
    std::sort(near.begin(), near.end());  // the same order whatever the strip
    for (const auto& [index, weight] : near) {
      found.index.push_back(index);
      found.weight.push_back(weight);
    }
    found.first.push_back(static_cast<std::int64_t>(found.index.size()));
  }
  return found;
}

}  // namespace locum::assimilation
