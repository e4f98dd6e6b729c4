#pragma once
#include <locum/core/sample.hpp>

#include <filesystem>

namespace locum::io {

/// Reads a mesh that Gmsh wrote (https://gmsh.info/doc/texinfo/#MSH-file-format), formats 2 to 2.2 and 4.1, as text.
///
/// Cells are the elements of the highest dimension, which must be of one kind: triangles, quadrilaterals, tetrahedra,
/// hexahedra, quadratic triangles or tetrahedra. A mesh in a plane z = const has two coordinates. Elements of one
/// dimension less that belong to a physical group become the boundary of the group's name, or of its number if it has
/// no name. Nodes in no cell (centres of arcs) are left out. Physical groups of cells are not kept.
/// @throws SystemError  if the file cannot be read
/// @throws DataError    with file and line, if it is no such file, is binary, ends early, has cells of several kinds or
///                      of a kind above, indices of nodes that are not there, or coordinates that are not finite
Mesh read_gmsh(const std::filesystem::path& file);

}  // namespace locum::io
