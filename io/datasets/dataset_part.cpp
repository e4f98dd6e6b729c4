#include "dataset_part.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>

namespace locum::io {

const StoredArray* Dataset::Part::find(const std::string& name) const
{
  for (const auto* arrays : {&layout.fields, &layout.scalars})
    for (const StoredArray& array : *arrays)
      if (array.name == name) return &array;
  return nullptr;
}

/// Its axes of space that `layout` knows the order of, and their extents.
static SpaceAxes own_axes(const Layout& layout, const StoredArray& array)
{
  SpaceAxes axes;
  for (const LayoutAxis& axis : layout.space) {
    const auto at = std::find(array.axes.begin(), array.axes.end(), axis.name) - array.axes.begin();
    if (static_cast<std::size_t>(at) < std::min(array.axes.size(), array.shape.size()))
      axes.emplace_back(axis.name,
                        axis.coordinates.defined() ? axis.coordinates.size(0) : array.shape[std::size_t(at)]);
  }
  return axes;
}

static std::string points_of(const SpaceAxes& axes)
{
  std::vector<std::int64_t> points;
  for (const auto& [name, count] : axes) points.push_back(count);
  return to_string(points);
}

SpaceAxes Dataset::Part::axes_of(const std::vector<const StoredArray*>& arrays, const hdf5::Task& task) const
{
  SpaceAxes axes;
  if (layout.repeat == Repeat::everywhere) {
    for (const LayoutAxis& axis : layout.space) axes.emplace_back(axis.name, axis.coordinates.size(0));
    return axes;
  }
  const StoredArray* first = nullptr;
  for (const StoredArray* array : arrays) {
    const SpaceAxes own = own_axes(layout, *array);
    if (own.empty()) continue;  // a scalar
    if (!first) {
      first = array;
      axes = own;
      continue;
    }
    bool fits = layout.repeat == Repeat::requested || own == axes;
    SpaceAxes merged;
    for (const LayoutAxis& axis : layout.space) {
      const auto same = [&](const auto& a) { return a.first == axis.name; };
      const auto before = std::find_if(axes.begin(), axes.end(), same);
      const auto now = std::find_if(own.begin(), own.end(), same);
      if (before != axes.end() && now != own.end()) fits = fits && before->second == now->second;
      if (before != axes.end()) merged.push_back(*before);
      else if (now != own.end()) merged.push_back(*now);
    }
    if (!fits)
      throw DataError({.doing = task.doing,
                       .where = hdf5::at(task, array->path).where,
                       .found = fmt::format("points {}", points_of(own)),
                       .expected = fmt::format("{}, as {} has", points_of(axes), first->name),
                       .advice = "one field at a time, or their axes by name in [data.fields]"});
    axes = merged;
  }
  if (axes.empty())
    throw DataError({.doing = task.doing,
                     .where = task.where,
                     .found = "numbers without an axis of space",
                     .expected = "a field among them",
                     .advice = fmt::format("`locum info {}`", path.string())});
  return axes;
}

namespace {

/// How an array is stored.
struct Storage {
  std::vector<std::int64_t> chunk;  // none if it is contiguous
  bool filtered = false;            // compressed, or with checksums
};

Storage storage_of(const hdf5::ObjectHandle& object, const hdf5::Task& task)
{
  const hdf5::PropertyHandle creation(hdf5::check(H5Dget_create_plist(object.get()), task));
  if (H5Pget_layout(creation.get()) != H5D_CHUNKED) return {};
  std::vector<hsize_t> chunk(32);
  const int axes = hdf5::check(H5Pget_chunk(creation.get(), 32, chunk.data()), task);
  return {.chunk = {chunk.begin(), chunk.begin() + axes},
          .filtered = hdf5::check(H5Pget_nfilters(creation.get()), task) > 0};
}

}  // namespace

std::vector<std::int64_t> Dataset::Part::chunks(const StoredArray& array, const hdf5::Task& task)
{
  if (array.constant || array.path.starts_with("*/")) return {};
  return storage_of(object(array, task), task).chunk;
}

/// The array, opened with a chunk cache for reading range after range along its first axis: a chunk that two ranges
/// share is read, and unpacked, once.
const hdf5::ObjectHandle& Dataset::Part::object(const StoredArray& array, const hdf5::Task& task)
{
  if (const auto found = opened.find(array.path); found != opened.end()) return found->second;
  auto plain = open_path(file.get(), array.path, task);
  const Storage storage = storage_of(plain, task);
  if (storage.chunk.empty()) return opened.emplace(array.path, std::move(plain)).first->second;

  constexpr std::size_t at_most = 64 << 20;
  std::size_t bytes = array.type == torch::kFloat32 ? 4 : 8, chunks = 1;
  bool whole_rows = true;
  for (std::size_t i = 0; i < storage.chunk.size(); ++i) {
    bytes *= static_cast<std::size_t>(storage.chunk[i]);
    if (i == 0) continue;
    const auto across = (array.shape[i] + storage.chunk[i] - 1) / storage.chunk[i];
    chunks *= static_cast<std::size_t>(across);
    whole_rows = whole_rows && across == 1;
  }
  // Unpacked chunks of whole rows are best read straight from the file, past any cache.
  const std::size_t cache = !storage.filtered && whole_rows ? 0 : std::min(at_most, bytes * chunks);
  const hdf5::PropertyHandle access(hdf5::check(H5Pcreate(H5P_DATASET_ACCESS), task));
  constexpr std::size_t slots = 12421;  // a prime, far more than chunks that fit
  hdf5::check(H5Pset_chunk_cache(access.get(), slots, cache, /*preemption=*/1.0), task);
  std::string name(1024, '\0');
  name.resize(static_cast<std::size_t>(
      std::min<ssize_t>(1023, hdf5::check(H5Iget_name(plain.get(), name.data(), name.size()), task))));
  plain = {};
  hdf5::ObjectHandle cached(hdf5::check(H5Dopen2(file.get(), name.c_str(), access.get()), task));
  return opened.emplace(array.path, std::move(cached)).first->second;
}

void Dataset::Part::require_promised_axes(const StoredArray& array, const SpaceAxes& axes, const hdf5::Task& task) const
{
  std::vector<std::string> promised;
  bool fits = array.axes.size() == array.shape.size();
  for (std::size_t i = 0; i < array.axes.size(); ++i) {
    const std::string& name = array.axes[i];
    std::optional<std::int64_t> extent;
    if (name == sample_axis) extent = layout.samples;
    if (name == time_axis) extent = layout.steps();
    for (const auto& [axis, points] : axes)
      if (axis == name) extent = points;
    const std::string shown = name == time_axis ? "step" : name;
    promised.push_back(extent ? fmt::format("{} = {}", shown, *extent) : shown);
    fits = fits && (!extent || *extent == array.shape[i]);
  }
  if (fits) return;
  throw DataError({.doing = task.doing,
                   .where = hdf5::at(task, array.path).where,
                   .found = fmt::format("{} axes, {}", array.shape.size(), to_string(array.shape)),
                   .expected = fmt::format("{} axes, [{}]", promised.size(), fmt::join(promised, ", ")),
                   .advice = layout.advice.empty() ? fmt::format("`locum info {}`", path.string()) : layout.advice});
}

void Dataset::Part::read(const StoredArray& array, const SpaceAxes& axes, const std::vector<std::int64_t>& every,
                         std::int64_t first, std::int64_t step, const Tensor& out, const hdf5::Task& task)
{
  if (array.constant) {
    out.fill_(*array.constant);
    return;
  }
  require_promised_axes(array, axes, task);
  if (!array.path.starts_with("*/")) {
    read_one(object(array, task), array, axes, every, first, step, out, task);
    return;
  }
  for (std::int64_t i = 0; i < out.size(0); ++i) {
    const std::string here = layout.groups[static_cast<std::size_t>(first + i)] + array.path.substr(1);
    const auto one = open_path(file.get(), here, task);
    if (hdf5::shape_of(one, task) != array.shape)
      throw DataError({.doing = task.doing,
                       .where = hdf5::at(task, here).where,
                       .found = to_string(hdf5::shape_of(one, task)),
                       .expected = to_string(array.shape) + ", as the first sample has",
                       .advice = ""});
    read_one(one, array, axes, every, 0, step, out.narrow(0, i, 1), task);
  }
}

namespace {

/// A hyperslab, in the file's order of axes.
struct Slab {
  std::vector<std::int64_t> start, extent;
};

Slab slab_of(const StoredArray& array, std::int64_t first, std::int64_t step, std::int64_t samples, std::int64_t steps)
{
  Slab slab{.start = std::vector<std::int64_t>(array.shape.size(), 0), .extent = array.shape};
  for (std::size_t i = 0; i < array.axes.size(); ++i) {
    if (array.axes[i] == sample_axis) {
      slab.start[i] = first;
      slab.extent[i] = samples;
    } else if (array.axes[i] == time_axis) {
      slab.start[i] = step;
      slab.extent[i] = steps;
    }
  }
  return slab;
}

}  // namespace

void Dataset::Part::expect(const StoredArray& array, std::int64_t first, std::int64_t step, std::int64_t samples,
                           std::int64_t steps, const hdf5::Task& task)
{
  if (!descriptor || array.constant || array.path.starts_with("*/") || array.axes.size() != array.shape.size()) return;
  const auto& dataset = object(array, task);
  const auto offset = H5Dget_offset(dataset.get());
  if (offset == HADDR_UNDEF) return;
  // Values from the slab's first to its last, and those in it: as many if they lie together.
  const Slab slab = slab_of(array, first, step, samples, steps);
  std::int64_t begin = 0, last = 0, count = 1;
  for (std::size_t i = 0; i < array.shape.size(); ++i) {
    begin = begin * array.shape[i] + slab.start[i];
    last = last * array.shape[i] + slab.start[i] + slab.extent[i] - 1;
    count *= slab.extent[i];
  }
  if (count == 0 || last + 1 - begin != count) return;
  constexpr std::int64_t at_most = 64 << 20;  // the rest is fetched ahead of whoever reads on
  const hdf5::TypeHandle type(hdf5::check(H5Dget_type(dataset.get()), task));
  const auto bytes = static_cast<std::int64_t>(H5Tget_size(type.get()));
  ::posix_fadvise(descriptor.get(), static_cast<off_t>(offset) + begin * bytes, std::min(at_most, count * bytes),
                  POSIX_FADV_WILLNEED);
}

void Dataset::Part::try_out(const hdf5::Task& task)
{
  constexpr std::uintmax_t small = 16 << 20;
  constexpr std::int64_t block = 1 << 17;  // values read at once
  constexpr std::clock_t enough = 2 * CLOCKS_PER_SEC;
  const bool all = std::filesystem::file_size(path) <= small;
  const auto read_rows = [&](const hdf5::ObjectHandle& dataset, torch::Dtype type) {
    std::vector<std::int64_t> count = hdf5::shape_of(dataset, task), start(count.size(), 0);
    if (!all) std::fill(count.begin(), count.end(), 1);
    if (count.empty()) count.push_back(1);
    const std::int64_t rows = count.front();
    std::int64_t row = 1;  // its values
    for (std::size_t i = 1; i < count.size(); ++i) row *= count[i];
    const std::int64_t together = std::max<std::int64_t>(1, block / std::max<std::int64_t>(1, row));
    count.resize(start.size());
    for (std::int64_t first = 0; first < rows && std::clock() < enough; first += together) {
      if (!start.empty()) {
        start.front() = first;
        count.front() = std::min(together, rows - first);
      }
      try {
        hdf5::read(dataset, start, count, type, task);
      } catch (const Error&) {  // rows that cannot be read do not keep anybody from the next
      }
    }
  };
  for (const auto* arrays : {&layout.fields, &layout.scalars})
    for (const StoredArray& array : *arrays) {
      if (array.constant) continue;
      const bool grouped = array.path.starts_with("*/");
      const std::size_t places = grouped && all ? layout.groups.size() : 1;
      for (std::size_t i = 0; i < places && std::clock() < enough; ++i) try {
          if (!grouped) read_rows(object(array, task), array.type);
          else read_rows(open_path(file.get(), layout.groups.at(i) + array.path.substr(1), task), array.type);
        } catch (const Error&) {
        }
    }
}

void Dataset::Part::read_one(const hdf5::ObjectHandle& object, const StoredArray& array, const SpaceAxes& axes,
                             const std::vector<std::int64_t>& every, std::int64_t first, std::int64_t step,
                             const Tensor& out, const hdf5::Task& task) const
{
  const Slab slab = slab_of(array, first, step, out.size(0), out.size(1));
  std::vector<std::int64_t> order;
  const auto all_of = [&](const std::string& name) {
    const auto before = order.size();
    for (std::size_t i = 0; i < array.axes.size(); ++i)
      if (array.axes[i] == name) order.push_back(static_cast<std::int64_t>(i));
    return order.size() > before;
  };
  const bool has_samples = all_of(sample_axis), has_steps = all_of(time_axis);
  all_of(component_axis);
  std::vector<std::int64_t> wanted = {has_samples ? out.size(0) : 1, has_steps ? out.size(1) : 1, array.components()};
  bool thinned = false;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto at = std::find(array.axes.begin(), array.axes.end(), axes[i].first) - array.axes.begin();
    const bool there = static_cast<std::size_t>(at) < array.axes.size();
    if (there) order.push_back(at);
    wanted.push_back(there ? axes[i].second : 1);
    thinned = thinned || (there && every[i] != 1);
  }

  const bool as_stored = std::is_sorted(order.begin(), order.end()) && !thinned && array.missing.empty() &&
                         array.scale == 1 && array.offset == 0;
  if (as_stored && out.is_contiguous() && out.scalar_type() == array.type &&
      out.sizes() == torch::IntArrayRef(wanted)) {
    hdf5::read(object, slab.start, out.view(slab.extent), task);
    return;
  }
  Tensor values = hdf5::read(object, slab.start, slab.extent, array.type, task);
  if (!array.missing.empty()) {
    const Tensor stored = values.clone();
    for (const double missing : array.missing)
      values.masked_fill_(stored == torch::tensor(missing).to(array.type), std::numeric_limits<double>::quiet_NaN());
  }
  if (array.scale != 1 || array.offset != 0) values.mul_(array.scale).add_(array.offset);
  values = values.permute(order).reshape(wanted);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto dimension = static_cast<std::int64_t>(i) + 3;
    if (wanted[i + 3] != 1) values = values.slice(dimension, 0, values.size(dimension), every[i]);
  }
  out.copy_(values);  // repeats what does not vary
}

}  // namespace locum::io
