#include "matlab.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace locum::io {

bool is_matlab(const hdf5::FileHandle& file, const hdf5::Task& task)
{
  for (const std::string& name : hdf5::children(file.get(), task))
    if (H5Aexists(hdf5::open_child(file.get(), name, task).get(), "MATLAB_class") > 0) return true;
  return false;
}

Layout matlab_layout(const hdf5::FileHandle& file, const hdf5::Task& task)
{
  Layout layout;
  layout.name = "MATLAB 7.3, axes reversed";
  layout.repeat = Repeat::never;
  std::vector<StoredArray> arrays;
  std::map<std::int64_t, int> votes;  // arrays with so many samples
  for (const std::string& name : hdf5::children(file.get(), task)) {
    auto array = describe_array(file.get(), name, task);
    // A vector in MATLAB is a matrix with one axis of length 1.
    if (!array || array->shape.empty() || array->shape.size() > 5) continue;
    const auto longer = std::count_if(array->shape.begin(), array->shape.end(), [](auto n) { return n > 1; });
    if (longer >= 2) ++votes[array->shape.back()];
    arrays.push_back(std::move(*array));
  }
  if (votes.empty())
    throw DataError({.doing = task.doing,
                     .where = task.where,
                     .found = "MATLAB's arrays, none with samples and an axis of space",
                     .expected = "[sample, (z, y,) x] as MATLAB counts axes",
                     .advice = "naming the axes of its arrays in the case: docs/data.md, \"Another layout\""});
  const auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
  layout.samples = std::max_element(votes.rbegin(), votes.rend(), fewer)->first;
  layout.expects = fmt::format("[x, (y, z,) sample = {}] as the file counts axes", layout.samples);

  const auto is_vector = [](const StoredArray& array) {
    return std::count_if(array.shape.begin(), array.shape.end(), [](auto n) { return n > 1; }) <= 1;
  };
  std::int64_t steps = 0;
  for (const StoredArray& array : arrays)
    if ((array.name == "t" || array.name == "tspan") && is_vector(array)) {
      layout.times =
          hdf5::read(open_path(file.get(), array.path, task), hdf5::at(task, array.path)).to(torch::kFloat64).flatten();
      steps = layout.times.size(0);
    }
  std::size_t fewest = 5;
  for (const StoredArray& array : arrays)
    if (!is_vector(array) && array.shape.back() == layout.samples) fewest = std::min(fewest, array.shape.size());

  bool evolves = false;
  for (StoredArray& array : arrays) {
    const auto numbers = std::accumulate(array.shape.begin(), array.shape.end(), std::int64_t{1}, std::multiplies<>());
    if (is_vector(array)) {
      array.axes.assign(array.shape.size(), component_axis);
      if (numbers == layout.samples && numbers > 1)
        array.axes[array.shape.front() == numbers ? 0 : array.shape.size() - 1] = sample_axis;
      else if (numbers != 1) continue;
      if (array.name != "t" && array.name != "tspan") layout.scalars.push_back(std::move(array));
      continue;
    }
    if (array.shape.back() != layout.samples) {
      layout.refused[array.name] = to_string(array.shape);
      continue;
    }
    // As MATLAB counts: [sample, time, …] or [sample, …, time]; reversed in the file.
    const std::size_t axes = array.shape.size();
    std::optional<std::size_t> time;
    if (steps > 0 && axes > fewest) {
      if (array.shape.front() == steps) time = 0;
      else if (array.shape[axes - 2] == steps) time = axes - 2;
    }
    const std::size_t space = axes - 1 - (time ? 1 : 0);
    if (space > 3) {
      layout.refused[array.name] = to_string(array.shape);
      continue;
    }
    auto names = unnamed_axes(space);
    std::reverse(names.begin(), names.end());
    names.push_back(sample_axis);
    if (time) names.insert(names.begin() + static_cast<std::ptrdiff_t>(*time), time_axis);
    evolves = evolves || time.has_value();
    array.axes = std::move(names);
    layout.fields.push_back(std::move(array));
  }
  if (!evolves) layout.times = torch::zeros({1}, torch::kFloat64);
  for (const std::string& name : unnamed_axes(3))
    layout.space.push_back({.name = name, .coordinates = {}, .spacing = {}});
  return layout;
}

}  // namespace locum::io
