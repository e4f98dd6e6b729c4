#pragma once
#include <torch/torch.h>

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace locum {

using torch::Tensor;

/// One axis of a uniform grid.
struct Axis {
  std::string name;         ///< "x", "y", "z", or what the file calls it.
  std::int64_t points = 0;  ///< Number of values along the axis.
  double origin = 0;        ///< Coordinate of the first value.
  double spacing = 1;       ///< Distance between neighbours.
  bool periodic = false;    ///< The value after the last is the first.
  std::string unit = "1";   ///< Of origin and spacing.

  bool operator==(const Axis&) const = default;
};

/// A uniform grid of one, two or three axes, slowest first: [(z, y,) x].
struct Grid {
  std::vector<Axis> axes;

  std::vector<std::int64_t> shape() const;
  /// Coordinates along axis `axis`, float64 [points].
  Tensor coordinates(std::size_t axis) const;
  bool operator==(const Grid&) const = default;

  /// Centres of `cells` equal cells an axis of the box (0, lengths[i]); cells and lengths slowest axis first.
  /// Axes are named x, y, z from the fastest on.
  static Grid cell_centres(const std::vector<std::int64_t>& cells, const std::vector<double>& lengths);
};

/// A logically rectangular grid with a position for every point.
struct CurvilinearGrid {
  Tensor positions;  ///< [(z, y,) x, dimension], float64.
};

/// An unstructured mesh of one kind of cell.
struct Mesh {
  /// Quadratic cells have a vertex on every edge beside their corners.
  enum class Cell { triangle, quadrilateral, tetrahedron, hexahedron, quadratic_triangle, quadratic_tetrahedron };
  Tensor vertices;  ///< [vertex, dimension], float64.
  Tensor cells;     ///< [cell, corner], int64, corners in VTK's order.
  Cell kind = Cell::triangle;
  std::map<std::string, Tensor> boundaries;  ///< Named parts of the boundary, by their edges or faces: [facet, corner].
};

/// Scattered points.
struct Points {
  Tensor positions;  ///< [point, dimension], float64.
};

using Domain = std::variant<Grid, CurvilinearGrid, Mesh, Points>;

/// Axes of a field's values on the domain, without batch and component: [(z, y,) x] or [point].
std::vector<std::int64_t> shape_of(const Domain& domain);

/// A quantity on a domain.
struct Field {
  Tensor values;           ///< [batch, component, (z, y,) x] or [batch, component, point].
  std::string unit = "1";  ///< UDUNITS spelling; "1" is dimensionless.
};

/// A quantity without a domain: Reynolds number, iterations of a solver.
struct Scalar {
  Tensor values;  ///< [batch]
  std::string unit = "1";
};

/// What one channel of a batch tensor means.
struct Channel {
  std::string field;
  std::int64_t component = 0;
  std::string unit = "1";

  bool operator==(const Channel&) const = default;
};

/// A piece of simulation data: named fields and scalars at one time, for one or many members on a common domain.
///
/// It is what an HDF5 row becomes, what a solver reads and returns, what a network sees as tensors and ParaView as a
/// picture. Axis 0 of every tensor is `batch`: samples of a dataset or members of an ensemble.
struct Sample {
  Domain domain;
  std::map<std::string, Field> fields;
  std::map<std::string, Scalar> scalars;
  double time = 0;  ///< s, or the equation's own unit of time.

  /// Members, from the first field or scalar; 0 if there is neither.
  std::int64_t batch() const;
  /// @throws DataError  naming the fields there are, and the nearest name, if `name` is not among them.
  const Field& field(const std::string& name) const;
  /// The grid the fields live on. @throws ShapeError  if the domain is not a uniform grid.
  const Grid& grid() const;
  /// Members first … first+count−1; shares memory.
  Sample members(std::int64_t first, std::int64_t count) const;
  /// All fields and scalars in floating type `type` on `device`; shares memory where nothing changes.
  Sample to(torch::Dtype type, torch::Device device = torch::kCPU) const;
  /// Adds the fields of `other`, a sample of the same domain and members.
  /// @throws ShapeError  if members differ. A field of the same name is replaced.
  void merge(const Sample& other);
  /// Adds the members of `other`, a sample of the same domain, fields and scalars.
  /// @throws ShapeError  if these differ.
  void append(const Sample& other);
};

/// The named fields side by side: [batch, channel, (z, y,) x].
Tensor stack_channels(const Sample& sample, const std::vector<std::string>& fields);
/// What the channels of stack_channels() mean, in order.
std::vector<Channel> describe_channels(const Sample& sample, const std::vector<std::string>& fields);
/// The inverse of stack_channels(): splits [batch, channel, …] into fields with the channels' names and units.
std::map<std::string, Field> split_channels(const Tensor& values, const std::vector<Channel>& channels);

/// @throws DataError  naming member, component and position of the first NaN or infinity in any field.
/// @param doing, where  for the message: "reading training samples", "ocean.h5"
/// @param first         number of the first member in its dataset
void check_finite(const Sample& sample, const std::string& doing, const std::string& where, std::int64_t first = 0);

/// A shape as a reader writes it: "[20, 1, 64, 64]".
std::string to_string(torch::IntArrayRef shape);

}  // namespace locum
