#pragma once
#include <cstdint>
#include <filesystem>
#include <locum/core/sample.hpp>
#include <map>
#include <string>
#include <vector>

namespace locum::io {

/// Samples on meshes that differ from one to the next, or are shared by some, in one HDF5 file.
///
/// The Well's groups hold what they always do, t0_fields and t1_fields the fields, but those of all samples lie one
/// after the other along the axis of vertices; group `mesh` says what belongs to whom:
///   mesh                   attribute cell, "triangle", "quadratic_triangle", "tetrahedron" …
///   mesh/of_sample         [sample]          which mesh a sample is on, counted from 0
///   mesh/vertices          [vertex, dimension], of all meshes one after the other; likewise
///   mesh/cells             [cell, corner]    vertices counted within the own mesh, corners in VTK's order
///   mesh/vertex_offsets    [mesh + 1]        where each mesh's vertices begin; mesh/cell_offsets likewise
///   mesh/boundaries/NAME   facets [facet, corner] and facet_offsets [mesh + 1]
///   t0_fields/NAME         [Σ vertices of a sample], t1_fields/NAME [Σ vertices of a sample, dimension]
///   scalars/NAME           [sample]
class MeshDataset {
 public:
  /// Reads the whole file.
  /// @throws SystemError  if there is no such file or it may not be read
  /// @throws DataError    if it is none of these, truncated, or its parts do not fit each other
  explicit MeshDataset(const std::filesystem::path& file);

  const std::filesystem::path& file() const noexcept { return file_; }
  std::int64_t size() const noexcept { return static_cast<std::int64_t>(samples_.size()); }
  /// Sample i: one member on its mesh, fields [1, component, vertex]. @throws DataError  if there is none.
  const Sample& read(std::int64_t i) const;
  /// Meshes that are stored.
  std::int64_t meshes() const noexcept { return meshes_; }
  const std::map<std::string, std::string>& provenance() const noexcept { return provenance_; }

 private:
  std::filesystem::path file_;
  std::vector<Sample> samples_;
  std::int64_t meshes_ = 0;
  std::map<std::string, std::string> provenance_;
};

/// Whether a file is HDF5 with a group `mesh`. @throws DataError  if it is HDF5 that cannot be read
bool is_mesh_dataset(const std::filesystem::path& file);

/// Writes samples as MeshDataset reads them; the file appears whole or not at all. Neighbours on the same mesh share it
/// in the file. Fields are stored as float32, everything else in full. Not collective.
/// @param samples     of one member each, all with the same fields and scalars and cells of one kind; may be none
/// @throws ShapeError   if they differ, or a field's components are not 1 or the dimensions
/// @throws SystemError  if it cannot be written
void write_mesh_dataset(const std::filesystem::path& file, const std::string& name, const std::vector<Sample>& samples,
                        const std::map<std::string, std::string>& provenance);

/// The name of a kind of cells in files and for people: "quadratic_triangle".
std::string name_of(Mesh::Cell kind);

}  // namespace locum::io
