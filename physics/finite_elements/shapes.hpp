#pragma once
#include <locum/core/sample.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace locum::physics {

/// A rectangle (0, width) × (0, height) of 2 · columns · rows triangles; boundaries left, right, bottom, top.
Mesh rectangle(std::int64_t columns, std::int64_t rows, double width, double height);

/// A box (0, lengths) of six tetrahedra a brick, which share its diagonal (Kuhn); boundaries left, right (x), bottom,
/// top (y), back, front (z).
Mesh box(std::int64_t nx, std::int64_t ny, std::int64_t nz, double length_x, double length_y, double length_z);

/// One mesh of triangles from structured patches: each quadrilateral of a patch becomes two triangles, vertices of
/// different patches at one place become one, and all triangles are turned counterclockwise.
/// @param patches  positions [i, j, 2] each
/// @return         a mesh without names of boundaries
Mesh mesh_of_patches(const std::vector<Tensor>& patches);

/// Facets of a mesh that belong to one cell alone: its surface, [facet, corner].
Tensor surface_of(const Mesh& mesh);

/// Names the facets of the surface: of those whose corners all satisfy a condition, the first such condition's name;
/// the rest is `others`. Names without facets are left out.
/// @param conditions  name, and from positions [vertex, dimension] a boolean [vertex]
void name_boundaries(Mesh& mesh,
                     const std::vector<std::pair<std::string, std::function<Tensor(const Tensor&)>>>& conditions,
                     const std::string& others);

/// The same mesh of quadratic cells: a vertex in the middle of every edge, after the old ones.
/// @throws ShapeError  if cells are no linear triangles or tetrahedra
Mesh quadratic(const Mesh& mesh);

}  // namespace locum::physics
