#pragma once
#include <locum/core/random.hpp>
#include <locum/core/sample.hpp>

#include <array>
#include <utility>
#include <vector>

namespace locum::physics {

enum class Shape { none, circle, square, triangle, backward_triangle, rhombus };
constexpr auto option_names(Shape)
{
  return std::array{std::pair{Shape::none, "none"},
                    std::pair{Shape::circle, "circle"},
                    std::pair{Shape::square, "square"},
                    std::pair{Shape::triangle, "triangle"},
                    std::pair{Shape::backward_triangle, "backward_triangle"},
                    std::pair{Shape::rhombus, "rhombus"}};
}

/// A body in the plane. Triangles have three equal sides and point upstream (against x), backward ones downstream.
struct Obstacle {
  Shape shape = Shape::circle;
  double x = 0, y = 0;  ///< Its middle: of the circle through its corners, m.
  double size = 1;      ///< Across the flow: diameter, side, or height along y, m.

  /// Corners, counter-clockwise; none of a circle.
  std::vector<std::array<double, 2>> corners() const;

  /// Distance from its edge, negative inside, m, float64 [y, x]. Without shape: infinite, cut at the grid's diagonal.
  Tensor signed_distance(const Grid& grid) const;
};

}  // namespace locum::physics
