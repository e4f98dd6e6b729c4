#include "plain_arrays.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

namespace locum::io {

/// A single trajectory: arrays each axis of which is as long as one of the coordinates x, y, z, t beside them.
static std::optional<Layout> trajectory_layout(const hdf5::FileHandle& file, const std::vector<StoredArray>& arrays,
                                               const hdf5::Task& task)
{
  Layout layout;
  layout.name = "arrays on coordinates x, y, z, t";
  std::map<std::int64_t, std::string> axis_of_length;
  for (const StoredArray& array : arrays) {
    const bool coordinate = array.name == "x" || array.name == "y" || array.name == "z" || array.name == "t";
    if (!coordinate || array.shape.size() != 1) continue;
    const std::string axis = array.name == "t" ? time_axis : array.name;
    if (!axis_of_length.emplace(array.shape.front(), axis).second) return std::nullopt;  // which is which?
    if (axis == time_axis) {
      layout.times = read_coordinates(file.get(), array.path, task);
      layout.time_unit = array.unit;
    }
  }
  for (StoredArray array : arrays) {
    for (const auto extent : array.shape)
      if (const auto axis = axis_of_length.find(extent); axis != axis_of_length.end() && !array.has(axis->second))
        array.axes.push_back(axis->second);
    if (array.shape.size() < 2 || array.axes.size() < array.shape.size() || !array.has(time_axis)) continue;
    for (const std::string& name : array.axes)
      if (name != time_axis && !layout.axis(name))
        layout.space.push_back({.name = name, .coordinates = read_coordinates(file.get(), name, task), .spacing = {}});
    layout.fields.push_back(std::move(array));
  }
  if (layout.fields.empty()) return std::nullopt;
  return layout;
}

Layout plain_arrays_layout(const hdf5::FileHandle& file, const hdf5::Task& task)
{
  Layout layout;
  layout.name = "arrays [sample, (z, y,) x]";
  layout.repeat = Repeat::never;
  std::vector<StoredArray> arrays;
  std::map<std::int64_t, int> votes;  // arrays with so many samples
  const auto may_be_field = [](const StoredArray& array) { return array.shape.size() >= 2 && array.shape.size() <= 4; };
  for (const std::string& name : hdf5::children(file.get(), task)) {
    auto array = describe_array(file.get(), name, task);
    if (!array) continue;
    if (may_be_field(*array)) ++votes[array->shape.front()];
    arrays.push_back(std::move(*array));
  }
  if (auto trajectory = trajectory_layout(file, arrays, task)) return *trajectory;
  if (votes.empty())
    throw DataError({.doing = task.doing,
                     .where = task.where,
                     .found = "neither a group t0_fields nor an array [sample, (z, y,) x] of numbers at the root",
                     .expected = "The Well's layout, PDEBench's, MATLAB's, netCDF's, or such arrays",
                     .advice = "naming the axes of its arrays in the case: docs/data.md, \"Another layout\""});
  const auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
  layout.samples = std::max_element(votes.rbegin(), votes.rend(), fewer)->first;  // of equal votes, more samples
  layout.expects = fmt::format("2 to 4 axes, [sample = {}, (z, y,) x]", layout.samples);

  for (StoredArray& array : arrays) {
    const auto numbers = std::accumulate(array.shape.begin(), array.shape.end(), std::int64_t{1}, std::multiplies<>());
    if (may_be_field(array) && array.shape.front() == layout.samples) {
      array.axes = unnamed_axes(array.shape.size() - 1);
      array.axes.insert(array.axes.begin(), sample_axis);
      layout.fields.push_back(std::move(array));
      continue;
    }
    layout.refused[array.name] = fmt::format("{} axes, {}", array.shape.size(), to_string(array.shape));
    if (array.shape == std::vector<std::int64_t>{layout.samples}) array.axes = {sample_axis};
    else if (numbers == 1 && array.shape.size() <= 1) array.axes.assign(array.shape.size(), component_axis);
    else continue;
    layout.refused.erase(array.name);
    layout.scalars.push_back(std::move(array));
  }
  for (const std::string& name : unnamed_axes(3))
    layout.space.push_back({.name = name, .coordinates = {}, .spacing = {}});
  return layout;
}

}  // namespace locum::io
