#include "differentiation.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/physics/periodic/periodic_equation.hpp>

#include <algorithm>
#include <cmath>

namespace locum::assimilation {

/// How often by each axis of the grid, slowest first.
static std::vector<int> times_by_axis(const Grid& grid, const std::array<int, 3>& times)
{
  std::vector<int> by_axis(grid.axes.size(), 0);
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (times[i] == 0) continue;
    const std::string name(1, static_cast<char>('x' + i));
    const auto axis = std::find_if(grid.axes.begin(), grid.axes.end(), [&](const Axis& a) { return a.name == name; });
    if (axis == grid.axes.end())
      throw OptionError({.doing = "differentiating a field",
                         .where = "its grid",
                         .found = "no axis " + name,
                         .expected = "axes called x, y, z",
                         .advice = "[data.axes.NAME]"});
    by_axis[static_cast<std::size_t>(axis - grid.axes.begin())] = times[i];
  }
  return by_axis;
}

std::vector<double> finite_difference_weights(const std::vector<double>& points, int derivative)
{
  const auto n = points.size();
  const auto m = static_cast<std::size_t>(derivative);
  std::vector<std::vector<double>> c(n, std::vector<double>(m + 1, 0));
  double c1 = 1, c4 = points[0];
  c[0][0] = 1;
  for (std::size_t i = 1; i < n; ++i) {
    const std::size_t most = std::min(i, m);
    double c2 = 1;
    const double c5 = c4;
    c4 = points[i];
    for (std::size_t j = 0; j < i; ++j) {
      const double c3 = points[i] - points[j];
      c2 *= c3;
      if (j == i - 1) {
        for (std::size_t k = most; k >= 1; --k)
          c[i][k] = c1 * (static_cast<double>(k) * c[i - 1][k - 1] - c5 * c[i - 1][k]) / c2;
        c[i][0] = -c1 * c5 * c[i - 1][0] / c2;
      }
      for (std::size_t k = most; k >= 1; --k) c[j][k] = (c4 * c[j][k] - static_cast<double>(k) * c[j][k - 1]) / c3;
      c[j][0] = c4 * c[j][0] / c3;
    }
    c1 = c2;
  }
  std::vector<double> weights;
  for (const auto& of_point : c) weights.push_back(of_point[m]);
  return weights;
}

/// The derivative along an axis as a matrix [point, point].
static Tensor finite_difference_matrix(const Axis& axis, int times, std::int64_t order)
{
  const std::int64_t n = axis.points;
  const std::int64_t reach = (times + 1) / 2 - 1 + order / 2;  // of central differences
  const std::int64_t one_sided = times + order;                // points
  if (order < 2 || order % 2 != 0 || n < std::max(2 * reach + 1, one_sided))
    throw OptionError({.doing = "differentiating by finite differences",
                       .where = "discovery.order",
                       .found = fmt::format("{}, along an axis of {} points", order, n),
                       .expected = "an even number, and points enough for it",
                       .advice = "order = 2"});
  const double scale = std::pow(axis.spacing, -times);
  const Tensor matrix = torch::zeros({n, n}, torch::kFloat64);
  auto entry = matrix.accessor<double, 2>();
  const auto fill = [&](std::int64_t row, std::int64_t first, std::int64_t count) {
    std::vector<double> points;
    for (std::int64_t i = first; i < first + count; ++i) points.push_back(static_cast<double>(i - row));
    const auto weights = finite_difference_weights(points, times);
    for (std::int64_t i = 0; i < count; ++i)
      entry[row][((first + i) % n + n) % n] += weights[static_cast<std::size_t>(i)] * scale;
  };
  for (std::int64_t row = 0; row < n; ++row) {
    const bool central = axis.periodic || (row >= reach && row + reach < n);
    if (central) fill(row, row - reach, 2 * reach + 1);
    else fill(row, row < reach ? 0 : n - one_sided, one_sided);
  }
  return matrix;
}

Tensor differentiate(const Tensor& values, const Grid& grid, const std::array<int, 3>& times, Differentiation method,
                     std::int64_t order)
{
  const auto by_axis = times_by_axis(grid, times);
  if (std::all_of(times.begin(), times.end(), [](int n) { return n == 0; })) return values;
  if (method == Differentiation::finite_differences) {
    Tensor result = values;
    for (std::size_t axis = 0; axis < by_axis.size(); ++axis)
      if (by_axis[axis] > 0) {
        const auto dim = static_cast<std::int64_t>(axis) + 1;
        const Tensor matrix = finite_difference_matrix(grid.axes[axis], by_axis[axis], order);
        result = result.transpose(dim, -1).matmul(matrix.t()).transpose(dim, -1);
      }
    return result;
  }
  for (const Axis& axis : grid.axes)
    if (!axis.periodic)
      throw OptionError({.doing = "differentiating a field",
                         .where = "discovery.derivatives",
                         .found = fmt::format("\"spectral\", but axis {} is not periodic", axis.name),
                         .expected = "a periodic grid",
                         .advice = "derivatives = \"finite_differences\""});
  const Tensor modes = physics::to_modes(values.unsqueeze(1));
  return physics::from_modes(modes * physics::derivative(grid, times), grid).squeeze(1);
}

TestFunctions::TestFunctions(const Grid& grid, std::vector<std::int64_t> half_width, std::int64_t smoothness)
    : grid_(grid), half_width_(std::move(half_width)), smoothness_(smoothness)
{
  if (half_width_.size() == 1) half_width_.resize(grid.axes.size(), half_width_.front());
  bool fits = half_width_.size() == grid.axes.size() && smoothness >= 1 && smoothness <= 20;
  for (std::size_t axis = 0; fits && axis < half_width_.size(); ++axis)
    fits = half_width_[axis] >= 2 && 2 * half_width_[axis] + 1 <= grid.axes[axis].points;
  if (!fits)
    throw OptionError({.doing = "making test functions",
                       .where = "discovery.support, discovery.smoothness",
                       .found = fmt::format("{} points to either side on a grid {}, exponent {}",
                                            to_string(half_width_), to_string(grid.shape()), smoothness),
                       .expected = "at least 2 points along each axis, within the grid, and an exponent from 1 to 20",
                       .advice = "support = [16]"});
}

/// ∂^times of (1 − s²)^q, s = (x − c) / a, at the points of its support, times spacing: [2a + 1].
static Tensor test_function(std::int64_t half_width, double spacing, std::int64_t q, int times)
{
  std::vector<double> polynomial(static_cast<std::size_t>(2 * q + 1), 0);  // of s
  double binomial = 1;
  for (std::int64_t j = 0; j <= q; ++j) {
    polynomial[static_cast<std::size_t>(2 * j)] = (j % 2 == 0 ? 1 : -1) * binomial;
    binomial *= static_cast<double>(q - j) / static_cast<double>(j + 1);
  }
  double integral = 0;
  for (std::size_t j = 0; j < polynomial.size(); j += 2) integral += 2 * polynomial[j] / static_cast<double>(j + 1);
  const double a = static_cast<double>(half_width) * spacing;
  for (int i = 0; i < times; ++i) {
    for (std::size_t j = 1; j < polynomial.size(); ++j) polynomial[j - 1] = static_cast<double>(j) * polynomial[j] / a;
    polynomial.back() = 0;
  }
  const Tensor s = torch::arange(-half_width, half_width + 1, torch::kFloat64) / static_cast<double>(half_width);
  Tensor values = torch::zeros_like(s);
  for (std::size_t j = polynomial.size(); j-- > 0;) values = values * s + polynomial[j];
  return values * (spacing / (integral * a));
}

Tensor TestFunctions::integrate(const Tensor& values, const std::array<int, 3>& times) const
{
  const auto by_axis = times_by_axis(grid_, times);
  Tensor result = values;
  for (std::size_t axis = 0; axis < by_axis.size(); ++axis) {
    if (by_axis[axis] >= smoothness_)
      throw OptionError({.doing = "integrating against test functions",
                         .where = "discovery.smoothness",
                         .found = fmt::format("{} for a derivative of order {}", smoothness_, by_axis[axis]),
                         .expected = "a larger exponent",
                         .advice = fmt::format("smoothness = {}", by_axis[axis] + 4)});
    const std::int64_t a = half_width_[axis];
    const Tensor psi = test_function(a, grid_.axes[axis].spacing, smoothness_, by_axis[axis]);
    const Tensor last = result.transpose(static_cast<std::int64_t>(axis) + 1, -1);
    Tensor lines = last.reshape({-1, 1, last.size(-1)});
    if (grid_.axes[axis].periodic)
      lines = torch::cat({lines.narrow(2, lines.size(2) - a, a), lines, lines.narrow(2, 0, a)}, 2);
    const double sign = by_axis[axis] % 2 == 0 ? 1 : -1;  // by parts
    auto shape = last.sizes().vec();
    shape.back() = lines.size(2) - 2 * a;
    result = (sign * torch::conv1d(lines, psi.view({1, 1, -1})))
                 .view(shape)
                 .transpose(static_cast<std::int64_t>(axis) + 1, -1);
  }
  return result;
}

}  // namespace locum::assimilation
