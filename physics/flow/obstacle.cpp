#include "obstacle.hpp"

#include <cmath>
#include <limits>

namespace locum::physics {

std::vector<std::array<double, 2>> Obstacle::corners() const
{
  const double half = size / 2;
  // A triangle as high as `size` across the flow has its corners this far from its middle.
  const double radius = size / std::sqrt(3.0);
  switch (shape) {
    case Shape::square:
      return {{x - half, y - half}, {x + half, y - half}, {x + half, y + half}, {x - half, y + half}};
    case Shape::rhombus: return {{x, y - half}, {x + half, y}, {x, y + half}, {x - half, y}};
    case Shape::triangle: return {{x - radius, y}, {x + radius / 2, y - half}, {x + radius / 2, y + half}};
    case Shape::backward_triangle: return {{x + radius, y}, {x - radius / 2, y + half}, {x - radius / 2, y - half}};
    case Shape::circle:
    case Shape::none: break;
  }
  return {};
}

/// Distance of points from a polygon's edge, negative inside.
static double distance_to(const std::vector<std::array<double, 2>>& corners, double px, double py)
{
  double nearest = std::numeric_limits<double>::infinity();
  bool inside = false;
  for (std::size_t i = 0, j = corners.size() - 1; i < corners.size(); j = i++) {
    const auto [ax, ay] = corners[j];
    const auto [bx, by] = corners[i];
    const double along = ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / (std::pow(bx - ax, 2) + std::pow(by - ay, 2));
    const double t = std::min(1.0, std::max(0.0, along));
    nearest = std::min(nearest, std::hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay)));
    // A ray along x crosses this side: in and out alternate.
    if ((ay > py) != (by > py) && px < (bx - ax) * (py - ay) / (by - ay) + ax) inside = !inside;
  }
  return inside ? -nearest : nearest;
}

Tensor Obstacle::signed_distance(const Grid& grid) const
{
  const Tensor ys = grid.coordinates(0), xs = grid.coordinates(1);
  const Tensor distance = torch::empty({ys.size(0), xs.size(0)}, torch::kFloat64);
  const auto points = corners();
  auto d = distance.accessor<double, 2>();
  const auto py = ys.accessor<double, 1>(), px = xs.accessor<double, 1>();
  for (std::int64_t j = 0; j < ys.size(0); ++j)
    for (std::int64_t i = 0; i < xs.size(0); ++i) switch (shape) {
        case Shape::none:
          d[j][i] = std::hypot(grid.axes[0].spacing * static_cast<double>(ys.size(0)),
                               grid.axes[1].spacing * static_cast<double>(xs.size(0)));
          break;
        case Shape::circle: d[j][i] = std::hypot(px[i] - x, py[j] - y) - size / 2; break;
        default: d[j][i] = distance_to(points, px[i], py[j]);
      }
  return distance;
}

}  // namespace locum::physics
