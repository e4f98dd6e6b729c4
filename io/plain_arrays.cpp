#include "plain_arrays.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace locum::io {

PlainArrays::PlainArrays(const std::filesystem::path& path, hdf5::FileHandle file, const hdf5::Task& task)
    : Dataset(path), file_(std::move(file))
{
  std::map<std::int64_t, int> votes;  // arrays with so many samples
  for (const std::string& name : hdf5::children(file_.get(), task)) {
    const auto object = hdf5::open_child(file_.get(), name, task);
    if (!hdf5::is_dataset(object) || !hdf5::type_of(object, task)) continue;
    arrays_.push_back({.name = name,
                       .unit = hdf5::read_string(object.get(), "units", task).value_or("1"),
                       .shape = hdf5::shape_of(object, task)});
    const auto axes = arrays_.back().shape.size();
    if (axes >= 2 && axes <= 4) ++votes[arrays_.back().shape.front()];
  }
  if (votes.empty())
    throw DataError({.doing = task.doing,
                     .where = task.where,
                     .found = "neither a group t0_fields nor an array [sample, (z, y,) x] of numbers at the root",
                     .expected = "The Well's layout, or such arrays",
                     .advice = fmt::format("`h5dump -n {}` shows what is in it", task.where)});
  const auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
  size_ = std::max_element(votes.rbegin(), votes.rend(), fewer)->first;  // of equal votes, more samples
}

bool PlainArrays::is_field(const Array& array) const
{
  return array.shape.size() >= 2 && array.shape.size() <= 4 && array.shape.front() == size_;
}

std::vector<FieldDescription> PlainArrays::fields() const
{
  std::vector<FieldDescription> fields;
  for (const Array& array : arrays_)
    if (is_field(array)) fields.push_back({.name = array.name, .unit = array.unit});
  return fields;
}

Sample PlainArrays::load(const std::vector<std::string>& fields, std::int64_t first, std::int64_t count,
                         std::int64_t) const
{
  Sample sample{.domain = Grid{}, .fields = {}, .scalars = {}, .time = 0};
  std::vector<std::int64_t> cells;
  for (const std::string& name : fields) {
    const auto array = std::find_if(arrays_.begin(), arrays_.end(), [&](const Array& a) { return a.name == name; });
    if (array == arrays_.end()) refuse_field(name);
    const hdf5::Task task{.doing = "reading samples", .where = file().string() + ":/" + name};
    if (!is_field(*array))
      throw DataError({.doing = task.doing,
                       .where = task.where,
                       .found = fmt::format("{} axes, {}", array->shape.size(), to_string(array->shape)),
                       .expected = fmt::format("2 to 4 axes, [sample = {}, (z, y,) x]", size_),
                       .advice = fmt::format("`locum info {}`", file().string())});
    const std::vector<std::int64_t> space(array->shape.begin() + 1, array->shape.end());
    if (cells.empty()) cells = space;
    if (space != cells)
      throw DataError({.doing = task.doing,
                       .where = task.where,
                       .found = fmt::format("points {}", to_string(space)),
                       .expected = fmt::format("{}, as {} has", to_string(cells), fields.front()),
                       .advice = "one field at a time"});

    const auto object = hdf5::open_child(file_.get(), name, {.doing = task.doing, .where = file().string()});
    const auto stored = hdf5::type_of(object, task);
    auto start = std::vector<std::int64_t>(array->shape.size(), 0);
    auto extent = array->shape;
    start[0] = first;
    extent[0] = count;
    const Tensor values =
        hdf5::read(object, start, extent, stored == torch::kFloat32 ? torch::kFloat32 : torch::kFloat64, task);
    sample.fields[name] = {.values = values.unsqueeze(1), .unit = array->unit};
  }
  sample.domain = Grid::cell_centres(cells, std::vector<double>(cells.size(), 1.0));
  return sample;
}

}  // namespace locum::io
