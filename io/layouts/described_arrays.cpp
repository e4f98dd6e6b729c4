#include "described_arrays.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace locum::io {

[[noreturn]] static void refuse(const hdf5::Task& task, const std::string& option, const std::string& found,
                                const std::string& expected)
{
  throw OptionError({.doing = task.doing,
                     .where = fmt::format("{} ({})", option, task.where),
                     .found = found,
                     .expected = expected,
                     .advice = ""});
}

/// The array an option describes; groups of samples are noted in the layout.
static StoredArray find_array(const hdf5::FileHandle& file, Layout& layout, const std::string& name,
                              const ArrayOptions& said, const std::string& option, const hdf5::Task& task)
{
  const std::string path = said.path.empty() ? name : said.path;
  std::string place = path;
  if (path.starts_with("*/")) {
    if (layout.groups.empty())
      for (const std::string& group : hdf5::children(file.get(), task))
        if (has_path(file.get(), group + path.substr(1), task)) layout.groups.push_back(group);
    if (layout.groups.empty())
      refuse(task, option + ".path", fmt::format("no group at the root with {}", path.substr(2)),
             "one for each sample");
    place = layout.groups.front() + path.substr(1);
  }
  auto array = describe_array(file.get(), place, task);
  if (!array) refuse(task, option + ".path", fmt::format("no array of numbers at {}", place), "an array of numbers");
  if (array->shape.size() != said.axes.size())
    refuse(task, option + ".axes", fmt::format("[{}]", fmt::join(said.axes, ", ")),
           fmt::format("{} names: the array is {}", array->shape.size(), to_string(array->shape)));
  array->name = name;
  array->path = path;
  array->axes = said.axes;
  if (!said.unit.empty()) array->unit = said.unit;
  return *array;
}

Layout described_layout(const hdf5::FileHandle& file, const DatasetOptions& options, const hdf5::Task& task)
{
  Layout layout;
  layout.name = "arrays as the case describes them";
  std::optional<std::int64_t> samples, steps;
  const auto note = [&](std::optional<std::int64_t>& known, std::int64_t extent, const std::string& option,
                        const std::string& axis) {
    if (known && *known != extent)
      refuse(task, option + ".axes", fmt::format("{} = {}", axis, extent), fmt::format("{}, as in others", *known));
    known = extent;
  };
  const auto add = [&](const auto& said, const std::string& section, std::vector<StoredArray>& arrays) {
    for (const auto& [name, array_options] : said) {
      const std::string option = section + "." + name;
      arrays.push_back(find_array(file, layout, name, array_options, option, task));
      const StoredArray& array = arrays.back();
      if (array.path.starts_with("*/"))
        note(samples, static_cast<std::int64_t>(layout.groups.size()), option, sample_axis);
      for (std::size_t i = 0; i < array.axes.size(); ++i) {
        if (array.axes[i] == sample_axis) note(samples, array.shape[i], option, sample_axis);
        if (array.axes[i] == time_axis) note(steps, array.shape[i], option, time_axis);
      }
    }
  };
  add(options.fields, "data.fields", layout.fields);
  add(options.parameters, "data.parameters", layout.scalars);
  layout.samples = samples.value_or(1);
  layout.times = torch::arange(steps.value_or(1), torch::kFloat64);

  std::vector<const StoredArray*> by_axes;
  for (const StoredArray& field : layout.fields) by_axes.push_back(&field);
  std::stable_sort(by_axes.begin(), by_axes.end(), [](auto* a, auto* b) { return a->axes.size() > b->axes.size(); });
  for (const StoredArray* field : by_axes)
    for (const std::string& axis : field->axes)
      if (axis != sample_axis && axis != time_axis && axis != component_axis && !layout.axis(axis))
        layout.space.push_back({.name = axis, .coordinates = {}, .spacing = {}});
  if (layout.space.empty() || layout.space.size() > 3)
    refuse(task, "data.fields", fmt::format("{} axes of space", layout.space.size()),
           "1 to 3 axes named other than sample, time and component");
  amend_axes(layout, options.axes, file, task);
  return layout;
}

/// Points along an axis of space, as the fields have them.
static std::int64_t points_along(const Layout& layout, const LayoutAxis& axis)
{
  if (axis.coordinates.defined()) return axis.coordinates.size(0);
  for (const StoredArray& field : layout.fields)
    for (std::size_t i = 0; i < field.axes.size(); ++i)
      if (field.axes[i] == axis.name) return field.shape[i];
  return 0;
}

void amend_axes(Layout& layout, const std::map<std::string, AxisOptions>& axes, const hdf5::FileHandle& file,
                const hdf5::Task& task)
{
  for (const auto& [name, said] : axes) {
    const std::string option = "data.axes." + name;
    const auto axis =
        std::find_if(layout.space.begin(), layout.space.end(), [&, n = name](const auto& a) { return a.name == n; });
    if (name != time_axis && axis == layout.space.end()) {
      std::vector<std::string> names = {time_axis};
      for (const LayoutAxis& known : layout.space) names.push_back(known.name);
      refuse(task, option, "no such axis", fmt::format("one of {}", fmt::join(names, ", ")));
    }
    const std::int64_t points = name == time_axis ? layout.steps() : points_along(layout, *axis);
    Tensor coordinates;
    if (said.spacing != 0) coordinates = torch::arange(points, torch::kFloat64) * said.spacing + said.origin;
    else if (!said.path.empty()) coordinates = read_coordinates(file.get(), said.path, task);
    if (coordinates.defined() && coordinates.size(0) < points)
      refuse(task, option + ".path", fmt::format("{} coordinates", coordinates.size(0)), fmt::format("{}", points));
    if (coordinates.defined()) coordinates = coordinates.narrow(0, 0, points);  // some files have one more
    if (name == time_axis) {
      if (coordinates.defined()) layout.times = coordinates;
      if (!said.unit.empty()) layout.time_unit = said.unit;
      continue;
    }
    if (coordinates.defined()) axis->coordinates = coordinates;
    if (said.spacing != 0) axis->spacing = said.spacing;
    if (said.periodic) axis->periodic = true;
    if (!said.unit.empty()) axis->unit = said.unit;
  }
}

}  // namespace locum::io
