#pragma once
#include <locum/core/sample.hpp>

namespace locum::physics {

/// Shape functions and what integrals over cells or facets need of them, at points of each.
///
/// The functions are Lagrange's of degree 1 or 2 on lines, triangles and tetrahedra, one for each vertex of a cell in
/// VTK's order; cells of degree 2 may be curved (isoparametric).
struct Evaluation {
  Tensor values;   ///< [point, vertex], of the functions.
  Tensor weights;  ///< [cell, point], of a quadrature: their sum over a cell is its measure. At vertices: equal parts.
  Tensor positions;  ///< [cell, point, dimension]
  Tensor gradients;  ///< [cell, point, vertex, dimension]; undefined for facets.
};

/// At the points of a quadrature that is exact for polynomials of degree 2 (linear cells) or 4 (quadratic ones).
/// @throws ShapeError  if cells are no triangles or tetrahedra, or one is degenerate or folded
Evaluation at_quadrature_points(const Mesh& mesh);
/// At the vertices of every cell; of `weights` only that they share out the cell's measure is of use.
/// @throws ShapeError  as at_quadrature_points()
Evaluation at_vertices(const Mesh& mesh);
/// On facets of `mesh`, edges or faces: the points of a quadrature exact to degree 5 (edges) or 4 (faces).
/// @param facets  [facet, corner], as in Mesh::boundaries
Evaluation on_facets(const Mesh& mesh, const Tensor& facets);

/// Values of the shape functions of a line, triangle or tetrahedron.
/// @param barycentric  [point, corner]
/// @return             [point, vertex]
Tensor shape_values(const Tensor& barycentric, bool quadratic);

/// Pairs of corners that a cell's edges join, in the order of its vertices on edges: [edge, 2].
Tensor edges_of(Mesh::Cell kind);
/// Whether cells have vertices on their edges.
bool is_quadratic(Mesh::Cell kind);
/// Dimensions of a cell: 2 or 3.
std::int64_t dimension_of(Mesh::Cell kind);

}  // namespace locum::physics
