#pragma once
#include <locum/core/sample.hpp>

namespace locum::physics {

/// Where the points of a grid lie in a mesh in the plane, to take values from its vertices to the points.
///
/// Curved sides of quadratic cells are taken as straight when looking for the cell; values are interpolated by the
/// cell's own shape functions.
class GridInterpolation {
 public:
  /// @param mesh  triangles, linear or quadratic
  /// @param grid  two axes, [y, x]
  /// @throws ShapeError  for other meshes or grids
  GridInterpolation(const Mesh& mesh, const Grid& grid);

  /// Whether a point lies in a cell, bool [y, x].
  const Tensor& inside() const noexcept { return inside_; }
  /// Values at the points of the grid; NaN outside of the mesh. Differentiable.
  /// @param values  [batch, component, vertex]
  /// @return        [batch, component, y, x]
  Tensor operator()(const Tensor& values) const;

 private:
  Tensor inside_;    // [y, x]
  Tensor vertices_;  // [point · vertex], of the points inside, one after the other
  Tensor weights_;   // [point, vertex]
};

}  // namespace locum::physics
