#include "the_well.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace locum::io {

bool is_the_well(const hdf5::FileHandle& file, const hdf5::Task& task)
{
  return hdf5::has_child(file.get(), "t0_fields", task) && hdf5::has_child(file.get(), "dimensions", task);
}

/// One boolean attribute, or what holds where it is missing.
static bool flag(const hdf5::ObjectHandle& object, const std::string& name, bool otherwise, const hdf5::Task& task)
{
  const auto values = hdf5::read_numbers(object.get(), name, task);
  return values && !values->empty() ? values->front() != 0 : otherwise;
}

static std::vector<std::string> required_names(const hdf5::ObjectHandle& group, const std::string& attribute,
                                               const hdf5::Task& task)
{
  if (auto names = hdf5::read_strings(group.get(), attribute, task)) return *names;
  throw DataError({.doing = task.doing,
                   .where = task.where,
                   .found = fmt::format("no attribute {}", attribute),
                   .expected = "a list of names, as The Well's rules say",
                   .advice = "adding it with h5py"});
}

/// Fields or scalars of a group. @param order  of the tensors: 0, 1, 2
static std::vector<StoredArray> describe(const hdf5::FileHandle& file, const std::string& group, std::size_t order,
                                         const Layout& layout, const hdf5::Task& task)
{
  const bool scalars = group == "scalars";
  const auto opened = hdf5::open_child(file.get(), group, task);
  const auto place = hdf5::at(task, group);
  std::vector<StoredArray> all;
  for (const std::string& name : required_names(opened, "field_names", place)) {
    const auto object = hdf5::open_child(opened.get(), name, place);
    const hdf5::Task here{.doing = task.doing, .where = place.where + "/" + name};
    auto array = describe_array(file.get(), group + "/" + name, task);
    if (!array) {
      hdf5::shape_of(object, here);  // refuses a group
      throw DataError({.doing = here.doing,
                       .where = here.where,
                       .found = "values that are no numbers",
                       .expected = "real or whole numbers",
                       .advice = ""});
    }
    if (flag(object, "sample_varying", !scalars, here)) array->axes.push_back(sample_axis);
    if (flag(object, "time_varying", !scalars, here)) array->axes.push_back(time_axis);
    if (!scalars) {
      const std::vector<double> all_vary(layout.space.size(), 1);
      auto varying = hdf5::read_numbers(object.get(), "dim_varying", here).value_or(all_vary);
      varying.resize(layout.space.size(), 1);
      for (std::size_t i = 0; i < varying.size(); ++i)
        if (varying[i] != 0) array->axes.push_back(layout.space[i].name);
    }
    const bool flat_tensor = order == 2 && array->shape.size() == array->axes.size() + 1;
    for (std::size_t i = 0; i < (flat_tensor ? 1 : order); ++i) array->axes.push_back(component_axis);
    all.push_back(std::move(*array));
  }
  return all;
}

/// Periodic axes, and masks as fields.
static void read_boundaries(const hdf5::FileHandle& file, Layout& layout, const hdf5::Task& task)
{
  if (!hdf5::has_child(file.get(), "boundary_conditions", task)) return;
  const auto boundaries = hdf5::open_child(file.get(), "boundary_conditions", task);
  const auto place = hdf5::at(task, "boundary_conditions");
  for (const std::string& name : hdf5::children(boundaries.get(), place)) {
    const auto boundary = hdf5::open_child(boundaries.get(), name, place);
    auto kind = hdf5::read_string(boundary.get(), "bc_type", place).value_or("");
    std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto associated =
        hdf5::read_strings(boundary.get(), "associated_dims", place).value_or(std::vector<std::string>{});
    if (kind == "periodic") {
      for (LayoutAxis& axis : layout.space)
        if (std::find(associated.begin(), associated.end(), axis.name) != associated.end()) axis.periodic = true;
      continue;
    }
    if (associated.size() != layout.space.size() || layout.space.size() < 2 ||
        !hdf5::has_child(boundary.get(), "mask", place))
      continue;
    auto mask = describe_array(file.get(), fmt::format("boundary_conditions/{}/mask", name), task);
    if (!mask) continue;
    mask->name = "boundary_" + name;
    if (flag(boundary, "sample_varying", false, place)) mask->axes.push_back(sample_axis);
    if (flag(boundary, "time_varying", false, place)) mask->axes.push_back(time_axis);
    mask->axes.insert(mask->axes.end(), associated.begin(), associated.end());
    if (mask->axes.size() == mask->shape.size()) layout.fields.push_back(std::move(*mask));
  }
}

Layout the_well_layout(const hdf5::FileHandle& file, const hdf5::Task& task)
{
  Layout layout;
  layout.name = "The Well";
  layout.repeat = Repeat::everywhere;
  layout.advice = "attributes sample_varying, time_varying and dim_varying say which axes there are";
  const auto trajectories = hdf5::read_numbers(file.get(), "n_trajectories", task).value_or(std::vector<double>{});
  constexpr double most = 1e15;  // and not NaN
  if (trajectories.size() != 1 || !(trajectories.front() >= 0 && trajectories.front() <= most))
    throw DataError({.doing = task.doing,
                     .where = task.where,
                     .found = trajectories.empty() ? "no attribute n_trajectories"
                                                   : fmt::format("n_trajectories [{}]", fmt::join(trajectories, ", ")),
                     .expected = "the number of samples, as The Well's rules say",
                     .advice = "adding it with h5py"});
  layout.samples = static_cast<std::int64_t>(trajectories.front());

  const auto dimensions = hdf5::open_child(file.get(), "dimensions", task);
  const auto place = hdf5::at(task, "dimensions");
  const auto names = required_names(dimensions, "spatial_dims", place);
  if (names.empty() || names.size() > 3)
    throw DataError({.doing = task.doing,
                     .where = place.where,
                     .found = fmt::format("spatial_dims [{}]", fmt::join(names, ", ")),
                     .expected = "one to three dimensions of space",
                     .advice = ""});
  const auto time = hdf5::open_child(dimensions.get(), "time", place);
  layout.times = hdf5::read(time, place).to(torch::kFloat64);
  layout.time_unit = hdf5::read_string(time.get(), "units", place).value_or("1");
  for (const std::string& name : names) {
    const auto object = hdf5::open_child(dimensions.get(), name, place);
    const hdf5::Task here{.doing = task.doing, .where = place.where + "/" + name};
    const auto spacing = hdf5::read_numbers(object.get(), "spacing", here);
    layout.space.push_back({.name = name,
                            .unit = hdf5::read_string(object.get(), "units", here).value_or("1"),
                            .coordinates = read_coordinates(dimensions.get(), name, place),
                            .spacing = {}});
    if (spacing && spacing->size() == 1) layout.space.back().spacing = spacing->front();
  }

  for (std::size_t order = 0; order < 3; ++order) {
    const std::string group = fmt::format("t{}_fields", order);
    if (!hdf5::has_child(file.get(), group, task)) continue;
    for (auto& field : describe(file, group, order, layout, task)) layout.fields.push_back(std::move(field));
  }
  if (hdf5::has_child(file.get(), "scalars", task)) layout.scalars = describe(file, "scalars", 0, layout, task);
  read_boundaries(file, layout, task);

  if (!hdf5::has_child(file.get(), "provenance", task)) return layout;
  const auto provenance = hdf5::open_child(file.get(), "provenance", task);
  for (const std::string& name : hdf5::attribute_names(provenance.get(), task))
    if (auto text = hdf5::read_string(provenance.get(), name, task)) layout.provenance[name] = *text;
  return layout;
}

}  // namespace locum::io
