#pragma once
// Internal to locum::io: what is found out about a file, and all that reading its values takes.
#include <locum/core/sample.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../hdf5/hdf5.hpp"

namespace locum::io {

/// Names of the axes of a stored array that are not axes of space.
inline const std::string sample_axis = "sample", time_axis = "time", component_axis = "component";

/// An array in a file, or one in each of its groups, and what its axes are.
struct StoredArray {
  std::string name;  ///< Of the field or scalar.
  std::string unit = "1";
  std::string path;                 ///< "t0_fields/u"; "*/data": one in each of the layout's groups.
  std::vector<std::string> axes;    ///< As stored, slowest first: those above, once or more, and axes of space.
  std::vector<std::int64_t> shape;  ///< Their extents as stored.
  torch::Dtype type = torch::kFloat64;
  double scale = 1, offset = 0;    ///< value = stored · scale + offset
  std::vector<double> missing;     ///< Stored values that mean there is none: they become NaN.
  std::optional<double> constant;  ///< The value of a scalar that is no array.

  bool has(const std::string& axis) const;
  /// Extents of the component axes multiplied.
  std::int64_t components() const;
};

/// An axis of space.
struct LayoutAxis {
  std::string name;
  std::string unit = "1";
  bool periodic = false;
  Tensor coordinates;             ///< float64 [point]; undefined if the file has none: cells of the unit box.
  std::optional<double> spacing;  ///< As the file states it, to the last digit.
};

/// Along which axes that it lacks a field is repeated.
enum class Repeat {
  never,      ///< Fields read together have the same axes: nobody named them.
  requested,  ///< Those of the fields it is read with.
  everywhere  ///< All that the file has.
};

/// Everything about a file but its values. Readers of the layouts find it out; Dataset reads by it.
struct Layout {
  std::string name;  ///< For people: "The Well".
  std::int64_t samples = 1;
  std::vector<std::string> groups;                    ///< One a sample, for paths with '*'.
  Tensor times = torch::zeros({1}, torch::kFloat64);  ///< [step], or [sample, step].
  std::string time_unit = "1";
  std::string calendar;           ///< CF's name of it; "" if times are no dates.
  std::vector<LayoutAxis> space;  ///< Slowest first.
  Repeat repeat = Repeat::requested;
  std::vector<StoredArray> fields;
  std::vector<StoredArray> scalars;
  std::map<std::string, std::string> provenance;
  std::map<std::string, std::string> refused;  ///< Arrays that are no fields, and what is wrong with each.
  std::string expects;                         ///< What `refused` would have to be.
  std::string advice;                          ///< For a field whose axes are not as promised.

  std::int64_t steps() const { return times.size(-1); }
  const LayoutAxis* axis(const std::string& name) const;
};

/// Opens a group or dataset below `parent` by path; no link on the way leads to another file.
hdf5::ObjectHandle open_path(hid_t parent, const std::string& path, const hdf5::Task& task);
/// Whether there is something at a path.
bool has_path(hid_t parent, const std::string& path, const hdf5::Task& task);
/// What the file says of an array of numbers at `path`; its axes are for the caller to name. Nothing for what is none.
std::optional<StoredArray> describe_array(hid_t parent, const std::string& path, const hdf5::Task& task);
/// All of a one-dimensional array, float64. @throws DataError  if it has other axes or no values.
Tensor read_coordinates(hid_t parent, const std::string& path, const hdf5::Task& task);
/// A name for each of `count` axes of space nobody named, slowest first: z, y, x.
std::vector<std::string> unnamed_axes(std::size_t count);

/// Where the fields live that have some of the layout's axes; every n-th point of each.
/// @param axes   names and stored extents, in the layout's order
/// @param every  a number an axis
/// @throws DataError  if it is far larger than any field
Domain make_domain(const Layout& layout, const std::vector<std::pair<std::string, std::int64_t>>& axes,
                   const std::vector<std::int64_t>& every);

}  // namespace locum::io
