#include "interpolation.hpp"

#include <locum/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "elements.hpp"

namespace locum::physics {

GridInterpolation::GridInterpolation(const Mesh& mesh, const Grid& grid)
{
  if ((mesh.kind != Mesh::Cell::triangle && mesh.kind != Mesh::Cell::quadratic_triangle) || grid.axes.size() != 2)
    throw ShapeError({.doing = "interpolating from a mesh to a grid",
                      .where = "",
                      .found = "other cells than triangles, or a grid of not two axes",
                      .expected = "triangles and a grid [y, x]",
                      .advice = ""});
  const Axis &y = grid.axes[0], &x = grid.axes[1];
  const Tensor corners = mesh.vertices.index_select(0, mesh.cells.narrow(1, 0, 3).flatten()).contiguous();
  const double* p = corners.data_ptr<double>();
  const auto points = static_cast<std::size_t>(y.points * x.points);
  std::vector<std::int64_t> cell(points, -1);
  std::vector<double> coordinates(3 * points), least(points, -1e-9);  // on a side shared by cells rounding decides
  const auto range = [](double low, double high, const Axis& axis) {
    const double from = std::ceil((low - axis.origin) / axis.spacing - 1e-6);
    const double to = std::floor((high - axis.origin) / axis.spacing + 1e-6);
    return std::pair{std::max<std::int64_t>(0, static_cast<std::int64_t>(from)),
                     std::min<std::int64_t>(axis.points - 1, static_cast<std::int64_t>(to))};
  };
  for (std::int64_t c = 0; c < mesh.cells.size(0); ++c, p += 6) {
    const double ax = p[2] - p[0], ay = p[3] - p[1], bx = p[4] - p[0], by = p[5] - p[1];
    const double area = ax * by - ay * bx;
    const auto [i0, i1] = range(std::min({p[0], p[2], p[4]}), std::max({p[0], p[2], p[4]}), x);
    const auto [j0, j1] = range(std::min({p[1], p[3], p[5]}), std::max({p[1], p[3], p[5]}), y);
    for (std::int64_t j = j0; j <= j1; ++j)
      for (std::int64_t i = i0; i <= i1; ++i) {
        const double dx = x.origin + x.spacing * static_cast<double>(i) - p[0];
        const double dy = y.origin + y.spacing * static_cast<double>(j) - p[1];
        const double l1 = (dx * by - dy * bx) / area, l2 = (ax * dy - ay * dx) / area, l0 = 1 - l1 - l2;
        const auto at = static_cast<std::size_t>(j * x.points + i);
        const double nearest = std::min({l0, l1, l2});
        if (nearest <= least[at]) continue;
        least[at] = nearest;
        cell[at] = c;
        coordinates[3 * at] = l0;
        coordinates[3 * at + 1] = l1;
        coordinates[3 * at + 2] = l2;
      }
  }
  const Tensor cells = torch::tensor(cell, torch::kInt64);
  const Tensor found = (cells >= 0).nonzero().flatten();
  inside_ = (cells >= 0).view({y.points, x.points});
  const Tensor own = torch::tensor(coordinates, torch::kFloat64).view({-1, 3}).index_select(0, found);
  weights_ = shape_values(own, is_quadratic(mesh.kind));
  vertices_ = mesh.cells.index_select(0, cells.index_select(0, found)).flatten();
}

Tensor GridInterpolation::operator()(const Tensor& values) const
{
  const Tensor at_vertices =
      values.index_select(2, vertices_).view({values.size(0), values.size(1), weights_.size(0), -1});
  const Tensor at_points = (at_vertices * weights_.to(values.scalar_type())).sum(-1);
  const auto none = std::numeric_limits<double>::quiet_NaN();
  Tensor all = torch::full({values.size(0), values.size(1), inside_.numel()}, none, values.options());
  all = all.index_copy(2, inside_.flatten().nonzero().flatten(), at_points);
  return all.view({values.size(0), values.size(1), inside_.size(0), inside_.size(1)});
}

}  // namespace locum::physics
