#include "netcdf.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace locum::io {

/// Whether `object` is a dimension scale: a dimension, with its coordinates unless netCDF says it has none.
static bool is_scale(hid_t object, const hdf5::Task& task)
{
  const auto kind = hdf5::is_text(object, "CLASS", task) ? hdf5::read_string(object, "CLASS", task) : std::nullopt;
  return kind && *kind == "DIMENSION_SCALE";
}

bool is_netcdf(const hdf5::FileHandle& file, const hdf5::Task& task)
{
  for (const std::string& name : hdf5::children(file.get(), task))
    if (is_scale(hdf5::open_child(file.get(), name, task).get(), task)) return true;
  return false;
}

static std::string text_of(hid_t object, const std::string& name, const hdf5::Task& task)
{
  if (!hdf5::is_text(object, name, task)) return "";
  const auto texts = hdf5::read_strings(object, name, task);
  return texts && !texts->empty() ? texts->front() : "";
}

/// Name of the object a reference in `file` leads to, without the slash; "" for one that leads nowhere.
static std::string name_behind(hid_t object, const hobj_ref_t& reference)
{
  const hdf5::ObjectHandle target(H5Rdereference2(object, H5P_DEFAULT, H5R_OBJECT, &reference));
  if (!target) return "";
  const auto length = H5Iget_name(target.get(), nullptr, 0);
  if (length <= 1) return "";
  std::string name(static_cast<std::size_t>(length), '\0');
  H5Iget_name(target.get(), name.data(), name.size() + 1);
  return name.substr(1);
}

/// Names of the dimensions of a variable: attribute DIMENSION_LIST, a list of references to scales for every axis. A
/// scale is its own dimension. "" for an axis without one.
static std::vector<std::string> dimensions_of(const hdf5::ObjectHandle& object, const std::string& name,
                                              std::size_t axes, const hdf5::Task& task)
{
  std::vector<std::string> names(axes);
  if (H5Aexists(object.get(), "DIMENSION_LIST") <= 0) {
    if (axes == 1 && is_scale(object.get(), task)) names.front() = name;
    return names;
  }
  const hdf5::AttributeHandle attribute(hdf5::check(H5Aopen(object.get(), "DIMENSION_LIST", H5P_DEFAULT), task));
  const hdf5::SpaceHandle space(hdf5::check(H5Aget_space(attribute.get()), task));
  const hdf5::TypeHandle stored(hdf5::check(H5Aget_type(attribute.get()), task));
  if (H5Tget_class(stored.get()) != H5T_VLEN || H5Sget_simple_extent_npoints(space.get()) != hssize_t(axes))
    return names;
  const hdf5::TypeHandle type(hdf5::check(H5Tvlen_create(H5T_STD_REF_OBJ), task));
  std::vector<hvl_t> lists(axes);
  hdf5::check(H5Aread(attribute.get(), type.get(), lists.data()), task);
  for (std::size_t axis = 0; axis < axes; ++axis)
    if (lists[axis].len > 0) names[axis] = name_behind(object.get(), *static_cast<const hobj_ref_t*>(lists[axis].p));
  H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, lists.data());
  return names;
}

namespace {

struct Dimension {
  std::string role;  // sample, time, or its own name
  LayoutAxis axis;
  std::string calendar;
};

Dimension describe_dimension(const hdf5::FileHandle& file, const std::string& name, const hdf5::Task& task)
{
  Dimension dimension{.role = name, .axis = {.name = name, .coordinates = {}, .spacing = {}}, .calendar = ""};
  if (name.empty() || !hdf5::has_child(file.get(), name, task)) return dimension;
  const auto object = hdf5::open_child(file.get(), name, task);
  const auto here = hdf5::at(task, name);
  if (text_of(object.get(), "NAME", here).starts_with("This is a netCDF dimension but not a netCDF variable"))
    return dimension;
  const std::string unit = text_of(object.get(), "units", here),
                    standard = text_of(object.get(), "standard_name", here);
  if (!unit.empty()) dimension.axis.unit = unit;
  if (const auto shape = hdf5::shape_of(object, here); shape.size() == 1 && shape[0] > 0 && hdf5::type_of(object, here))
    dimension.axis.coordinates = read_coordinates(file.get(), name, task);
  if (standard == "realization") dimension.role = sample_axis;
  if (unit.find(" since ") != std::string::npos || standard == "time" || text_of(object.get(), "axis", here) == "T") {
    dimension.role = time_axis;
    dimension.calendar = text_of(object.get(), "calendar", here);
    if (dimension.calendar.empty()) dimension.calendar = "standard";
    std::transform(dimension.calendar.begin(), dimension.calendar.end(), dimension.calendar.begin(),
                   [](unsigned char c) { return std::tolower(c); });
  }
  const Tensor& x = dimension.axis.coordinates;
  if (unit.starts_with("degree") && (standard == "longitude" || unit.ends_with("_east") || unit.ends_with("_E")) &&
      x.defined() && x.size(0) > 1) {
    const double points = static_cast<double>(x.size(0));
    const double round = (x[-1] - x[0]).item<double>() * points / (points - 1);
    dimension.axis.periodic = std::abs(std::abs(round) - 360) < 0.01;
  }
  return dimension;
}

/// What CF's attributes say of stored values.
void read_packing(const hdf5::ObjectHandle& object, StoredArray& array, const hdf5::Task& task)
{
  const auto number = [&](const std::string& name) -> std::optional<double> {
    if (!hdf5::is_number(object.get(), name, task)) return std::nullopt;
    const auto values = hdf5::read_numbers(object.get(), name, task);
    return values && !values->empty() ? std::optional(values->front()) : std::nullopt;
  };
  array.scale = number("scale_factor").value_or(1);
  array.offset = number("add_offset").value_or(0);
  for (const char* name : {"_FillValue", "missing_value"}) {
    if (!hdf5::is_number(object.get(), name, task)) continue;
    const auto values = hdf5::read_numbers(object.get(), name, task).value_or(std::vector<double>{});
    for (const double value : values)
      if (std::isfinite(value)) array.missing.push_back(value);
  }
  constexpr double unwritten = 9.9692099683868690e+36;  // netCDF's own fill value of reals
  const auto stored = hdf5::type_of(object, task);
  if (stored != torch::kInt64 && array.missing.empty()) array.missing.push_back(unwritten);
}

}  // namespace

Layout netcdf_layout(const hdf5::FileHandle& file, const hdf5::Task& task)
{
  Layout layout;
  layout.name = "netCDF-4";
  layout.expects = "a variable on 1 to 3 axes of space, beside time and realization";
  layout.advice = "`ncdump -h` shows the dimensions";

  std::set<std::string> bounds;
  std::map<std::string, Dimension> dimensions;
  std::vector<StoredArray> arrays;
  for (const std::string& name : hdf5::children(file.get(), task)) {
    const auto object = hdf5::open_child(file.get(), name, task);
    const auto here = hdf5::at(task, name);
    for (const char* attribute : {"bounds", "climatology"}) bounds.insert(text_of(object.get(), attribute, here));
    if (!hdf5::is_dataset(object) || is_scale(object.get(), here)) continue;
    auto array = describe_array(file.get(), name, task);
    if (!array || array->shape.empty()) continue;
    array->axes = dimensions_of(object, name, array->shape.size(), here);
    for (const std::string& axis : array->axes)
      if (!dimensions.contains(axis)) dimensions[axis] = describe_dimension(file, axis, task);
    read_packing(object, *array, here);
    arrays.push_back(std::move(*array));
  }

  bool has_time = false;
  for (StoredArray& array : arrays) {
    if (bounds.contains(array.name)) continue;
    std::vector<std::string> space;
    bool known = true;
    for (std::size_t i = 0; i < array.axes.size(); ++i) {
      const Dimension& dimension = dimensions.at(array.axes[i]);
      known = known && !array.axes[i].empty();
      array.axes[i] = dimension.role;
      if (dimension.role == sample_axis) layout.samples = array.shape[i];
      if (dimension.role == time_axis && !has_time && known) {
        has_time = true;
        layout.times = dimension.axis.coordinates.defined() ? dimension.axis.coordinates
                                                            : torch::arange(array.shape[i], torch::kFloat64);
        layout.time_unit = dimension.axis.unit;
        layout.calendar = dimension.calendar;
      }
      if (dimension.role != sample_axis && dimension.role != time_axis) space.push_back(dimension.axis.name);
    }
    if (!known || space.size() > 3) {
      layout.refused[array.name] = fmt::format("axes [{}], {}", fmt::join(array.axes, ", "), to_string(array.shape));
      continue;
    }
    if (space.empty()) {
      layout.scalars.push_back(std::move(array));
      continue;
    }
    for (const std::string& name : space)
      if (!layout.axis(name)) layout.space.push_back(dimensions.at(name).axis);
    layout.fields.push_back(std::move(array));
  }
  if (layout.fields.empty())
    throw DataError({.doing = task.doing,
                     .where = task.where,
                     .found = "no variable on axes of space",
                     .expected = layout.expects,
                     .advice = layout.advice});
  for (const char* name : {"Conventions", "title", "institution", "source", "history"})
    if (const auto text = text_of(file.get(), name, task); !text.empty()) layout.provenance[name] = text;
  return layout;
}

}  // namespace locum::io
