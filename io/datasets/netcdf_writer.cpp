#include "netcdf_writer.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <cctype>
#include <limits>

#include "../atomic_file.hpp"
#include "../hdf5/hdf5.hpp"

namespace locum::io {

namespace {

/// The text attributes netCDF reads are of fixed length; those of variable length it shows as "string".
void put_text(hid_t object, const std::string& name, const std::string& text, const hdf5::Task& task)
{
  if (text.empty()) return;
  const hdf5::TypeHandle type(hdf5::check(H5Tcopy(H5T_C_S1), task));
  hdf5::check(H5Tset_size(type.get(), text.size()), task);
  hdf5::check(H5Tset_cset(type.get(), H5T_CSET_UTF8), task);
  const hdf5::SpaceHandle space(hdf5::check(H5Screate(H5S_SCALAR), task));
  const hdf5::AttributeHandle attribute(
      hdf5::check(H5Acreate2(object, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), task));
  hdf5::check(H5Awrite(attribute.get(), type.get(), text.data()), task);
}

/// A dimension of the file: a dimension scale, and who uses it along which axis.
struct Dimension {
  std::string name;
  hdf5::ObjectHandle scale;
  std::vector<std::pair<hobj_ref_t, int>> users;
};

/// As HDF5's dimension scales are stored: attributes CLASS and NAME on the scale, with their last byte 0, or neither
/// netCDF nor HDF5 takes it for one. (The library for them is not needed.)
Dimension put_dimension(hid_t file, const std::string& name, const Tensor& coordinates, int number,
                        const hdf5::Task& task)
{
  Dimension dimension{.name = name, .scale = hdf5::write(file, name, coordinates, task), .users = {}};
  put_text(dimension.scale.get(), "CLASS", std::string("DIMENSION_SCALE") + '\0', task);
  put_text(dimension.scale.get(), "NAME", name + '\0', task);
  const hdf5::SpaceHandle space(hdf5::check(H5Screate(H5S_SCALAR), task));
  const hdf5::AttributeHandle attribute(hdf5::check(
      H5Acreate2(dimension.scale.get(), "_Netcdf4Dimid", H5T_STD_I32LE, space.get(), H5P_DEFAULT, H5P_DEFAULT), task));
  hdf5::check(H5Awrite(attribute.get(), H5T_NATIVE_INT, &number), task);
  return dimension;
}

/// The variable's side of the link: DIMENSION_LIST, for each axis a list with its scale.
void put_dimension_list(hid_t file, const hdf5::ObjectHandle& variable, const std::string& name,
                        std::vector<Dimension>& dimensions, const std::vector<std::size_t>& axes,
                        const hdf5::Task& task)
{
  std::vector<hobj_ref_t> scales(axes.size());
  std::vector<hvl_t> lists(axes.size());
  hobj_ref_t self;
  hdf5::check(H5Rcreate(&self, file, name.c_str(), H5R_OBJECT, -1), task);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Dimension& dimension = dimensions[axes[i]];
    hdf5::check(H5Rcreate(&scales[i], file, dimension.name.c_str(), H5R_OBJECT, -1), task);
    lists[i] = {.len = 1, .p = &scales[i]};
    dimension.users.emplace_back(self, static_cast<int>(i));
  }
  const hdf5::TypeHandle type(hdf5::check(H5Tvlen_create(H5T_STD_REF_OBJ), task));
  const hsize_t count = axes.size();
  const hdf5::SpaceHandle space(hdf5::check(H5Screate_simple(1, &count, nullptr), task));
  const hdf5::AttributeHandle list(hdf5::check(
      H5Acreate2(variable.get(), "DIMENSION_LIST", type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), task));
  hdf5::check(H5Awrite(list.get(), type.get(), lists.data()), task);
}

/// The scale's side: REFERENCE_LIST, for each variable its reference and the axis.
void put_reference_list(const Dimension& dimension, const hdf5::Task& task)
{
  struct Entry {
    hobj_ref_t variable;
    int axis;
  };
  std::vector<Entry> entries;
  for (const auto& [variable, axis] : dimension.users) entries.push_back({variable, axis});
  if (entries.empty()) return;
  const hdf5::TypeHandle type(hdf5::check(H5Tcreate(H5T_COMPOUND, sizeof(Entry)), task));
  hdf5::check(H5Tinsert(type.get(), "dataset", HOFFSET(Entry, variable), H5T_STD_REF_OBJ), task);
  hdf5::check(H5Tinsert(type.get(), "dimension", HOFFSET(Entry, axis), H5T_NATIVE_INT), task);
  const hsize_t count = entries.size();
  const hdf5::SpaceHandle space(hdf5::check(H5Screate_simple(1, &count, nullptr), task));
  const hdf5::AttributeHandle list(hdf5::check(
      H5Acreate2(dimension.scale.get(), "REFERENCE_LIST", type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), task));
  hdf5::check(H5Awrite(list.get(), type.get(), entries.data()), task);
}

/// A name as CF wants it, of letters, digits and underscores: u_plus_1 for u@+1.
std::string variable_name(const std::string& field)
{
  std::string name;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const bool step = field[i] == '@' && i + 1 < field.size() && (field[i + 1] == '+' || field[i + 1] == '-');
    if (step) name += field[++i] == '+' ? "_plus_" : "_minus_";
    else name += std::isalnum(static_cast<unsigned char>(field[i])) ? field[i] : '_';
  }
  return name;
}

std::string text_if(bool condition, const std::string& text) { return condition ? text : ""; }

/// Values of all steps: [step, member, (z, y,) x] of one component, one array.
Tensor stacked(const std::vector<Sample>& steps, const std::string& field, std::int64_t component)
{
  std::vector<Tensor> values;
  for (const Sample& step : steps) values.push_back(step.field(field).values.select(1, component).detach().cpu());
  return torch::stack(values);
}

void require_alike(const std::filesystem::path& file, const std::vector<Sample>& steps)
{
  bool fits = !steps.empty();
  for (const Sample& step : steps) {
    fits = fits && step.grid() == steps.front().grid() && step.batch() == steps.front().batch();
    for (const auto& [name, field] : steps.front().fields)
      fits = fits && step.fields.contains(name) && step.fields.at(name).unit == field.unit &&
             step.fields.at(name).values.sizes() == field.values.sizes();
  }
  for (std::size_t i = 1; i < steps.size(); ++i) fits = fits && steps[i].time > steps[i - 1].time;
  if (fits) return;
  throw ShapeError({.doing = "writing a netCDF file",
                    .where = file.string(),
                    .found = fmt::format("{} steps that do not fit each other", steps.size()),
                    .expected = "at least one; the same grid, members, fields and units at growing times",
                    .advice = ""});
}

}  // namespace

void write_netcdf(const std::filesystem::path& file, const std::vector<Sample>& steps, const NetcdfOptions& options)
{
  require_alike(file, steps);
  const hdf5::Quiet quiet;
  const hdf5::Task task{.doing = "writing a netCDF file", .where = file.string(), .access = hdf5::Task::Access::write};
  const Grid& grid = steps.front().grid();
  const std::int64_t members = steps.front().batch();

  // netCDF wants links and attributes in the order they were made.
  const hdf5::PropertyHandle creation(hdf5::check(H5Pcreate(H5P_FILE_CREATE), task));
  hdf5::check(H5Pset_link_creation_order(creation.get(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), task);
  const auto out = hdf5::create_in_memory(1 << 20, creation, task);
  put_text(out.get(), "Conventions", "CF-1.11", task);
  put_text(out.get(), "title", options.title, task);

  std::vector<Dimension> dimensions;
  std::vector<std::size_t> axes;  // of the variables
  const auto add_dimension = [&](const std::string& name, const Tensor& coordinates) -> hid_t {
    axes.push_back(dimensions.size());
    dimensions.push_back(put_dimension(out.get(), name, coordinates, static_cast<int>(dimensions.size()), task));
    return dimensions.back().scale.get();
  };
  std::vector<double> times;
  for (const Sample& step : steps) times.push_back(step.time);
  const hid_t time = add_dimension("time", torch::tensor(times, torch::kFloat64));
  put_text(time, "units", options.time_unit, task);
  put_text(time, "standard_name", "time", task);
  put_text(time, "axis", "T", task);
  put_text(time, "calendar", options.calendar, task);
  if (members > 1) {
    const hid_t realization = add_dimension("realization", torch::arange(members, torch::kInt64));
    put_text(realization, "standard_name", "realization", task);
    put_text(realization, "units", "1", task);
  }
  for (std::size_t i = 0; i < grid.axes.size(); ++i) {
    const Axis& axis = grid.axes[i];
    const hid_t scale = add_dimension(axis.name, grid.coordinates(i));
    const bool north = axis.unit == "degrees_north", east = axis.unit == "degrees_east";
    put_text(scale, "units", axis.unit, task);
    put_text(scale, "standard_name", text_if(north, "latitude") + text_if(east, "longitude"), task);
    put_text(scale, "axis", text_if(north || axis.name == "y", "Y") + text_if(east || axis.name == "x", "X"), task);
  }

  for (const auto& [name, field] : steps.front().fields) {
    const std::int64_t components = field.values.size(1);
    for (std::int64_t component = 0; component < components; ++component) {
      const std::string variable = variable_name(components == 1 ? name : fmt::format("{}_{}", name, component));
      Tensor values = stacked(steps, name, component);
      if (members == 1) values = values.squeeze(1);
      const auto dataset = hdf5::write(out.get(), variable, values, task);
      put_text(dataset.get(), "units", field.unit, task);
      put_text(dataset.get(), "long_name", components == 1 ? name : fmt::format("{}, component {}", name, component),
               task);
      const bool single = values.scalar_type() == torch::kFloat32;
      const double none = std::numeric_limits<double>::quiet_NaN();
      const hsize_t one = 1;
      const hdf5::SpaceHandle space(hdf5::check(H5Screate_simple(1, &one, nullptr), task));
      const hdf5::AttributeHandle fill(
          hdf5::check(H5Acreate2(dataset.get(), "_FillValue", single ? H5T_IEEE_F32LE : H5T_IEEE_F64LE, space.get(),
                                 H5P_DEFAULT, H5P_DEFAULT),
                      task));
      hdf5::check(H5Awrite(fill.get(), H5T_NATIVE_DOUBLE, &none), task);
      put_dimension_list(out.get(), dataset, variable, dimensions, axes, task);
    }
  }
  for (const Dimension& dimension : dimensions) put_reference_list(dimension, task);
  write_atomically(file, hdf5::image_of(out, task));
}

}  // namespace locum::io
