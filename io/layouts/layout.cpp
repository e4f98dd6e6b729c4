#include "layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace locum::io {

bool StoredArray::has(const std::string& axis) const { return std::find(axes.begin(), axes.end(), axis) != axes.end(); }

std::int64_t StoredArray::components() const
{
  std::int64_t count = 1;
  for (std::size_t i = 0; i < std::min(axes.size(), shape.size()); ++i)
    if (axes[i] == component_axis) count *= shape[i];
  return count;
}

const LayoutAxis* Layout::axis(const std::string& wanted) const
{
  const auto found = std::find_if(space.begin(), space.end(), [&](const LayoutAxis& a) { return a.name == wanted; });
  return found == space.end() ? nullptr : &*found;
}

hdf5::ObjectHandle open_path(hid_t parent, const std::string& path, const hdf5::Task& task)
{
  const auto slash = path.find('/');
  auto object = hdf5::open_child(parent, path.substr(0, slash), task);
  if (slash == std::string::npos) return object;
  if (hdf5::is_dataset(object))
    throw DataError({.doing = task.doing,
                     .where = hdf5::at(task, path.substr(0, slash)).where,
                     .found = "an array",
                     .expected = fmt::format("a group that holds {}", path.substr(slash + 1)),
                     .advice = ""});
  return open_path(object.get(), path.substr(slash + 1), hdf5::at(task, path.substr(0, slash)));
}

bool has_path(hid_t parent, const std::string& path, const hdf5::Task& task)
{
  const auto slash = path.find('/');
  if (!hdf5::has_child(parent, path.substr(0, slash), task)) return false;
  if (slash == std::string::npos) return true;
  const auto object = hdf5::open_child(parent, path.substr(0, slash), task);
  return !hdf5::is_dataset(object) && has_path(object.get(), path.substr(slash + 1), task);
}

std::optional<StoredArray> describe_array(hid_t parent, const std::string& path, const hdf5::Task& task)
{
  const auto object = open_path(parent, path, task);
  if (!hdf5::is_dataset(object)) return std::nullopt;
  const auto here = hdf5::at(task, path);
  const auto type = hdf5::type_of(object, here);
  if (!type) return std::nullopt;
  std::optional<std::vector<std::string>> units;
  for (const char* name : {"units", "unit"})
    if (!units) units = hdf5::read_strings(object.get(), name, here);
  return StoredArray{.name = path.substr(path.rfind('/') + 1),
                     .unit = units && !units->empty() && !units->front().empty() ? units->front() : "1",
                     .path = path,
                     .axes = {},
                     .shape = hdf5::shape_of(object, here),
                     .type = *type == torch::kFloat32 ? torch::kFloat32 : torch::kFloat64,
                     .missing = {},
                     .constant = {}};
}

Tensor read_coordinates(hid_t parent, const std::string& path, const hdf5::Task& task)
{
  const auto here = hdf5::at(task, path);
  const Tensor values = hdf5::read(open_path(parent, path, task), here).to(torch::kFloat64);
  if (values.dim() != 1 || values.size(0) == 0)
    throw DataError({.doing = here.doing,
                     .where = here.where,
                     .found = fmt::format("coordinates {}", to_string(values.sizes())),
                     .expected = "[point]: one grid for all samples and steps",
                     .advice = ""});
  return values;
}

std::vector<std::string> unnamed_axes(std::size_t count)
{
  const std::vector<std::string> names = {"z", "y", "x"};
  return {names.end() - static_cast<std::ptrdiff_t>(std::min(count, names.size())), names.end()};
}

/// Whether neighbours are `spacing` apart, but for what summing up spacings in float32 adds.
static bool is_uniform(const Tensor& coordinates, double spacing)
{
  const auto expected = torch::arange(coordinates.size(0), torch::kFloat64) * spacing + coordinates[0];
  const double deviation = (coordinates - expected).abs().max().item<double>();
  const double rounding = 2 * std::numeric_limits<float>::epsilon() * coordinates.abs().max().item<double>();
  return deviation <= rounding + 1e-4 * std::abs(spacing);
}

/// Refuses a grid that is far larger than any field: coordinates cost a file little, memory for what is repeated along
/// them a lot.
static void require_field_on(const Layout& layout, const std::vector<std::pair<std::string, std::int64_t>>& axes)
{
  double points = 1, values = 1 << 27;  // 1 GiB
  for (const auto& [name, count] : axes) points *= static_cast<double>(count);
  for (const StoredArray& field : layout.fields)
    values = std::max(values, std::accumulate(field.shape.begin(), field.shape.end(), 1.0, std::multiplies<>()));
  if (points <= values) return;
  throw DataError({.doing = "laying out the grid",
                   .where = layout.name,
                   .found = fmt::format("{:g} points", points),
                   .expected = fmt::format("at most {:g}, the values of the largest field", values),
                   .advice = "fields on fewer axes"});
}

Domain make_domain(const Layout& layout, const std::vector<std::pair<std::string, std::int64_t>>& axes,
                   const std::vector<std::int64_t>& every)
{
  require_field_on(layout, axes);
  Grid grid;
  std::vector<Tensor> positions;
  bool uniform = true;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto& [name, points] = axes[i];
    const LayoutAxis* known = layout.axis(name);
    const double cell = 1 / static_cast<double>(points);
    Tensor coordinates = known && known->coordinates.defined() ? known->coordinates
                                                               : (torch::arange(points, torch::kFloat64) + 0.5) * cell;
    const double origin = coordinates[0].item<double>();
    double spacing = cell;
    if (known && known->coordinates.defined())
      spacing = points > 1 ? (coordinates[points - 1].item<double>() - origin) / static_cast<double>(points - 1) : 1.0;
    // Our own files say the spacing to the last digit; others may have been thinned since, so look.
    if (known && known->spacing && is_uniform(coordinates, *known->spacing)) spacing = *known->spacing;
    uniform = uniform && spacing != 0 && is_uniform(coordinates, spacing);
    const auto kept = coordinates.slice(0, 0, points, every[i]);
    positions.push_back(kept);
    grid.axes.push_back({.name = name,
                         .points = kept.size(0),
                         .origin = origin,
                         .spacing = spacing * static_cast<double>(every[i]),
                         .periodic = known && known->periodic,
                         .unit = known ? known->unit : "1"});
  }
  if (uniform) return grid;
  return CurvilinearGrid{.positions = torch::stack(torch::meshgrid(positions, "ij"), -1)};
}

}  // namespace locum::io
