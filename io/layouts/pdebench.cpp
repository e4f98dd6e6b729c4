#include "pdebench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace locum::io {

static bool has(const hdf5::FileHandle& file, const std::string& path, const hdf5::Task& task)
{
  return has_path(file.get(), path, task);
}

/// Groups at the root named by digits alone, in order; only looked for if the first is there.
static std::vector<std::string> numbered_groups(const hdf5::FileHandle& file, const hdf5::Task& task)
{
  std::vector<std::string> groups;
  for (const std::string& name : hdf5::children(file.get(), task))
    if (std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c); })) groups.push_back(name);
  std::sort(groups.begin(), groups.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  if (groups.empty() || !has(file, groups.front() + "/data", task) || !has(file, groups.front() + "/grid", task))
    return {};
  return groups;
}

static bool is_incompressible(const hdf5::FileHandle& file, const hdf5::Task& task)
{
  return has(file, "velocity", task) && has(file, "particles", task) && has(file, "force", task);
}

bool is_pdebench(const hdf5::FileHandle& file, const hdf5::Task& task)
{
  return has(file, "x-coordinate", task) || is_incompressible(file, task) || !numbered_groups(file, task).empty();
}

/// The axes x, y, z that have coordinates at `path` with {} for their name.
static void add_space(const hdf5::FileHandle& file, Layout& layout, const std::string& path, const hdf5::Task& task)
{
  for (const std::string name : {"x", "y", "z"}) {
    const std::string place = fmt::format(fmt::runtime(path), name);
    if (has(file, place, task))
      layout.space.push_back({.name = name, .coordinates = read_coordinates(file.get(), place, task), .spacing = {}});
  }
}

/// Names the axes of an array, which may have `time`, a component last, or both. Space is what the layout has.
static std::vector<std::string> name_axes(const Layout& layout, bool sample, bool time, bool component)
{
  std::vector<std::string> axes;
  if (sample) axes.push_back(sample_axis);
  if (time) axes.push_back(time_axis);
  for (const LayoutAxis& axis : layout.space) axes.push_back(axis.name);
  if (component) axes.push_back(component_axis);
  return axes;
}

static StoredArray required_array(const hdf5::FileHandle& file, const std::string& path, const hdf5::Task& task)
{
  if (auto array = describe_array(file.get(), path, task)) return *array;
  throw DataError({.doing = task.doing,
                   .where = hdf5::at(task, path).where,
                   .found = "no array of numbers",
                   .expected = "one, as PDEBench writes it",
                   .advice = ""});
}

/// As many times as there are steps. @param stored  [step] or more, or [sample, step]
static void set_times(Layout& layout, const Tensor& stored, const hdf5::Task& task)
{
  std::int64_t steps = 1;
  for (const StoredArray& field : layout.fields)
    for (std::size_t i = 0; i < std::min(field.axes.size(), field.shape.size()); ++i)
      if (field.axes[i] == time_axis) steps = std::max(steps, field.shape[i]);
  if (stored.dim() == 0 || stored.size(-1) < steps)
    throw DataError({.doing = task.doing,
                     .where = task.where + ":/t-coordinate",
                     .found = fmt::format("times {}", to_string(stored.sizes())),
                     .expected = fmt::format("at least {}, a time for every step", steps),
                     .advice = ""});
  layout.times = stored.narrow(-1, 0, steps);
}

static void read_groups(const hdf5::FileHandle& file, Layout& layout, const hdf5::Task& task)
{
  layout.name = "PDEBench, a group a sample";
  layout.samples = static_cast<std::int64_t>(layout.groups.size());
  const std::string& first = layout.groups.front();
  add_space(file, layout, first + "/grid/{}", task);
  StoredArray data = required_array(file, first + "/data", task);
  data.axes = name_axes(layout, /*sample=*/false, /*time=*/true, /*component=*/true);
  data.path = "*/data";
  layout.fields.push_back(std::move(data));
  if (has(file, first + "/grid/t", task))
    set_times(layout, read_coordinates(file.get(), first + "/grid/t", task), task);
}

static void read_incompressible(const hdf5::FileHandle& file, Layout& layout, const hdf5::Task& task)
{
  layout.name = "PDEBench, incompressible flow";
  for (const std::string name : {"x", "y"}) layout.space.push_back({.name = name, .coordinates = {}, .spacing = {}});
  for (const std::string name : {"velocity", "particles", "force"}) {
    StoredArray array = required_array(file, name, task);
    array.axes = name_axes(layout, true, name != "force", true);
    layout.samples = array.shape.empty() ? 0 : array.shape.front();
    layout.fields.push_back(std::move(array));
  }
  if (has(file, "t", task))
    set_times(layout, hdf5::read(open_path(file.get(), "t", task), task).to(torch::kFloat64), task);
}

static void read_single(const hdf5::FileHandle& file, Layout& layout, const hdf5::Task& task)
{
  layout.name = "PDEBench";
  add_space(file, layout, "{}-coordinate", task);
  for (const std::string& name : hdf5::children(file.get(), task)) {
    if (name.ends_with("-coordinate")) continue;
    auto array = describe_array(file.get(), name, task);
    if (!array) continue;
    if (array->shape.size() == layout.space.size() + 1) array->axes = name_axes(layout, true, false, false);
    else array->axes = name_axes(layout, true, true, false);
    // Darcy's solution has an axis of one where others have steps.
    const bool steady = !has(file, "t-coordinate", task);
    if (steady)
      for (std::string& axis : array->axes)
        if (axis == time_axis) axis = component_axis;
    if (array->axes.size() != array->shape.size()) {
      layout.refused[name] = fmt::format("{} axes, {}", array->shape.size(), to_string(array->shape));
      continue;
    }
    layout.samples = array->shape.front();
    layout.fields.push_back(std::move(*array));
  }
  layout.expects = "[sample, step, x, (y, z)] or [sample, x, (y, z)]";
  if (has(file, "t-coordinate", task)) set_times(layout, read_coordinates(file.get(), "t-coordinate", task), task);
}

Layout pdebench_layout(const hdf5::FileHandle& file, const hdf5::Task& task)
{
  Layout layout;
  layout.advice = "`h5dump -H` shows the axes; [data.fields] of the case can name them";
  layout.groups = numbered_groups(file, task);
  if (!layout.groups.empty()) read_groups(file, layout, task);
  else if (is_incompressible(file, task)) read_incompressible(file, layout, task);
  else read_single(file, layout, task);
  if (layout.fields.empty())
    throw DataError({.doing = task.doing,
                     .where = task.where,
                     .found = "no array on the coordinates",
                     .expected = "tensor, density, … [sample, step, x, (y, z)]",
                     .advice = layout.advice});
  for (const std::string& name : hdf5::attribute_names(file.get(), task)) {
    if (!hdf5::is_number(file.get(), name, task)) continue;
    const auto value = hdf5::read_numbers(file.get(), name, task);
    if (value && value->size() == 1)
      layout.scalars.push_back(
          {.name = name, .path = name, .axes = {}, .shape = {}, .missing = {}, .constant = value->front()});
  }
  return layout;
}

}  // namespace locum::io
