#include "dataset.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <locum/core/error.hpp>

#include "../hdf5/rehearsal.hpp"
#include "../layouts/described_arrays.hpp"
#include "../layouts/matlab.hpp"
#include "../layouts/netcdf.hpp"
#include "../layouts/pdebench.hpp"
#include "../layouts/plain_arrays.hpp"
#include "../layouts/the_well.hpp"
#include "calendar.hpp"
#include "dataset_part.hpp"

namespace locum::io {

static hdf5::Task reading(const std::filesystem::path& file)
{
  return {.doing = "reading samples", .where = file.string()};
}

Dataset::Dataset(std::filesystem::path file, std::vector<std::unique_ptr<Part>> parts, std::vector<std::int64_t> every)
    : file_(std::move(file)), parts_(std::move(parts)), every_(std::move(every))
{
  for (const auto& part : parts_) size_ += part->layout.samples;
}

Dataset::~Dataset() = default;

std::vector<std::filesystem::path> Dataset::files() const
{
  std::vector<std::filesystem::path> paths;
  for (const auto& part : parts_) paths.push_back(part->path);
  return paths;
}

std::string Dataset::layout() const { return parts_.front()->layout.name; }

std::int64_t Dataset::steps() const { return parts_.front()->layout.steps(); }

double Dataset::time(std::int64_t sample, std::int64_t step) const
{
  for (const auto& part : parts_) {
    const Tensor& times = part->layout.times;
    if (times.dim() == 1) return times[step].item<double>();
    if (sample < part->layout.samples) return times[sample][step].item<double>();
    sample -= part->layout.samples;
  }
  return 0;
}

std::string Dataset::time_unit() const { return parts_.front()->layout.time_unit; }

std::string Dataset::calendar() const { return parts_.front()->layout.calendar; }

std::string Dataset::time_text(std::int64_t sample, std::int64_t step) const
{
  const Layout& layout = parts_.front()->layout;
  const double value = time(sample, step);
  if (!layout.calendar.empty())
    if (const auto date = date_of(value, layout.time_unit, layout.calendar)) return *date;
  return layout.time_unit == "1" ? fmt::format("{:g}", value) : fmt::format("{:g} {}", value, layout.time_unit);
}

/// @param samples  of all files together
static FieldDescription description_of(const StoredArray& array, std::int64_t samples)
{
  FieldDescription field{
      .name = array.name, .unit = array.unit, .components = array.components(), .time_varying = array.has(time_axis)};
  if (array.path.starts_with("*/")) field.axes.emplace_back(sample_axis, samples);
  for (std::size_t i = 0; i < std::min(array.axes.size(), array.shape.size()); ++i)
    field.axes.emplace_back(array.axes[i], array.axes[i] == sample_axis ? samples : array.shape[i]);
  return field;
}

std::vector<FieldDescription> Dataset::fields() const
{
  std::vector<FieldDescription> fields;
  const Layout& layout = parts_.front()->layout;
  for (const StoredArray& array : layout.fields) fields.push_back(description_of(array, size_));
  return fields;
}

std::vector<FieldDescription> Dataset::scalars() const
{
  std::vector<FieldDescription> scalars;
  const Layout& layout = parts_.front()->layout;
  for (const StoredArray& array : layout.scalars) scalars.push_back(description_of(array, size_));
  return scalars;
}

std::map<std::string, std::string> Dataset::provenance() const { return parts_.front()->layout.provenance; }

FieldDescription Dataset::describe(const std::string& name) const
{
  const StoredArray* array = parts_.front()->find(name);
  if (!array) refuse_field(name);
  return description_of(*array, size_);
}

void Dataset::refuse_field(const std::string& name) const
{
  const Layout& layout = parts_.front()->layout;
  const std::string info = fmt::format("`locum info {}`", file_.string());
  if (const auto refused = layout.refused.find(name); refused != layout.refused.end())
    throw DataError({.doing = "reading samples",
                     .where = file_.string() + ":/" + name,
                     .found = refused->second,
                     .expected = layout.expects,
                     .advice = info});
  std::vector<std::string> names;
  for (const auto* arrays : {&layout.fields, &layout.scalars})
    for (const StoredArray& array : *arrays) names.push_back(array.name);
  const auto nearest = nearest_name(name, names);
  throw DataError({.doing = "reading samples",
                   .where = file_.string(),
                   .found = fmt::format("no field \"{}\"", name),
                   .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                   .advice = nearest.empty() ? info : fmt::format("\"{}\", or {}", nearest, info)});
}

void Dataset::require_range(std::int64_t first, std::int64_t count, std::int64_t step, std::int64_t steps) const
{
  const auto refuse = [&](const std::string& found, const std::string& expected) {
    throw DataError({.doing = "reading samples",
                     .where = file_.string(),
                     .found = found,
                     .expected = expected,
                     .advice = fmt::format("`locum info {}`", file_.string())});
  };
  if (first < 0 || count < 0 || first > size_ - count)
    refuse(fmt::format("a request for {} samples from sample {} on", count, first),
           fmt::format("some of its {} samples, numbered from 0", size_));
  if (step < 0 || step > this->steps() - steps)
    refuse(fmt::format("a request for step {}", step + steps - 1),
           fmt::format("one of its {} steps, numbered from 0", this->steps()));
}

/// A number an axis, from what the case says.
static std::vector<std::int64_t> spread(const std::vector<std::int64_t>& every, const SpaceAxes& axes)
{
  if (every.empty()) return std::vector<std::int64_t>(axes.size(), 1);
  const bool fits = every.size() == 1 || every.size() == axes.size();
  if (!fits || *std::min_element(every.begin(), every.end()) < 1)
    throw OptionError({.doing = "thinning the grid",
                       .where = "data.every",
                       .found = fmt::format("[{}]", fmt::join(every, ", ")),
                       .expected = fmt::format("one number, or one for each of {} axes, at least 1", axes.size()),
                       .advice = ""});
  return every.size() == 1 ? std::vector<std::int64_t>(axes.size(), every.front()) : every;
}

/// The arrays of those names, in `part`.
static std::vector<const StoredArray*> arrays_of(const Dataset::Part& part, const std::vector<std::string>& names)
{
  std::vector<const StoredArray*> arrays;
  for (const std::string& name : names) arrays.push_back(part.find(name));
  return arrays;
}

Domain Dataset::domain(const std::vector<std::string>& fields) const
{
  const Part& part = *parts_.front();
  for (const std::string& name : fields)
    if (!part.find(name)) refuse_field(name);
  const SpaceAxes axes = part.axes_of(arrays_of(part, fields), reading(part.path));
  return make_domain(part.layout, axes, spread(every_, axes));
}

Sample Dataset::read(const std::vector<std::string>& fields, std::int64_t first, std::int64_t count,
                     std::int64_t step) const
{
  const hdf5::Quiet quiet;
  require_range(first, count, step, 1);
  Sample sample{.domain = domain(fields), .fields = {}, .scalars = {}, .time = time(first, step)};
  for (const std::string& name : fields) {
    const auto description = describe(name);
    std::vector<std::int64_t> shape = {count, 1, description.components};
    const auto points = shape_of(sample.domain);
    shape.insert(shape.end(), points.begin(), points.end());
    const Tensor values = torch::empty(shape, type(name));
    read_steps(name, first, step, fields, values);
    sample.fields[name] = {.values = values.squeeze(1), .unit = description.unit};
  }
  sample.scalars = read_scalars(first, count, step);
  return sample;
}

std::map<std::string, Scalar> Dataset::read_scalars(std::int64_t first, std::int64_t count, std::int64_t step) const
{
  const hdf5::Quiet quiet;
  require_range(first, count, step, 1);
  std::map<std::string, Scalar> scalars;
  for (const StoredArray& scalar : parts_.front()->layout.scalars) {
    if (scalar.components() != 1) continue;
    const Tensor values = torch::empty({count, 1, 1}, scalar.type);
    std::int64_t done = 0, begin = 0;
    for (const auto& part : parts_) {
      const auto from = std::max(first, begin), to = std::min(first + count, begin + part->layout.samples);
      if (from < to) {
        part->read(*part->find(scalar.name), {}, {}, from - begin, step, values.narrow(0, done, to - from),
                   reading(part->path));
        done += to - from;
      }
      begin += part->layout.samples;
    }
    scalars[scalar.name] = {.values = values.flatten(), .unit = scalar.unit};
  }
  return scalars;
}

void Dataset::read_steps(const std::string& field, std::int64_t first, std::int64_t step,
                         const std::vector<std::string>& together, const Tensor& out) const
{
  const hdf5::Quiet quiet;
  require_range(first, out.size(0), step, out.size(1));
  std::int64_t done = 0, begin = 0;
  for (const auto& part : parts_) {
    const auto from = std::max(first, begin), to = std::min(first + out.size(0), begin + part->layout.samples);
    if (from < to) {
      const auto task = reading(part->path);
      const SpaceAxes axes = part->axes_of(arrays_of(*part, together), task);
      part->read(*part->find(field), axes, spread(every_, axes), from - begin, step, out.narrow(0, done, to - from),
                 task);
      done += to - from;
    }
    begin += part->layout.samples;
  }
}

void Dataset::expect_steps(const std::string& field, std::int64_t first, std::int64_t step, std::int64_t samples,
                           std::int64_t steps) const
{
  const hdf5::Quiet quiet;
  std::int64_t begin = 0;
  for (const auto& part : parts_) {
    const auto from = std::max(first, begin), to = std::min(first + samples, begin + part->layout.samples);
    const StoredArray* array = part->find(field);
    if (array && from < to) part->expect(*array, from - begin, step, to - from, steps, reading(part->path));
    begin += part->layout.samples;
  }
}

torch::Dtype Dataset::type(const std::string& field) const
{
  const StoredArray* array = parts_.front()->find(field);
  if (!array) refuse_field(field);
  return array->type;
}

static std::int64_t chunk_along(Dataset::Part& part, const std::string& field, const std::string& axis)
{
  const StoredArray* array = part.find(field);
  if (!array) return 1;
  const hdf5::Quiet quiet;
  const auto chunks = part.chunks(*array, reading(part.path));
  for (std::size_t i = 0; i < std::min(chunks.size(), array->axes.size()); ++i)
    if (array->axes[i] == axis) return chunks[i];
  return 1;
}

std::int64_t Dataset::chunk_samples(const std::string& field) const
{
  return chunk_along(*parts_.front(), field, sample_axis);
}

std::int64_t Dataset::chunk_steps(const std::string& field) const
{
  return chunk_along(*parts_.front(), field, time_axis);
}

namespace {

bool names_axes(const DatasetOptions& options)
{
  return std::any_of(options.fields.begin(), options.fields.end(),
                     [](const auto& f) { return !f.second.axes.empty(); });
}

Layout recognise(const hdf5::FileHandle& file, const hdf5::Task& task)
{
  if (hdf5::has_child(file.get(), "mesh", task) && hdf5::has_child(file.get(), "t0_fields", task))
    throw DataError({.doing = task.doing,
                     .where = task.where,
                     .found = "samples on meshes",
                     .expected = "samples on grids, which all surrogates that there are take",
                     .advice = "`locum info` and `locum solve --input` read it"});
  if (is_the_well(file, task)) return the_well_layout(file, task);
  if (is_pdebench(file, task)) return pdebench_layout(file, task);
  if (is_matlab(file, task)) return matlab_layout(file, task);
  if (is_netcdf(file, task)) return netcdf_layout(file, task);
  return plain_arrays_layout(file, task);
}

/// What the case says more of a file that was recognised: units, axes.
void amend(Layout& layout, const DatasetOptions& options, const hdf5::FileHandle& file, const hdf5::Task& task)
{
  const auto amend_arrays = [&](std::vector<StoredArray>& arrays, const std::map<std::string, ArrayOptions>& said,
                                const std::string& section) {
    for (const auto& [name, option] : said) {
      const auto array =
          std::find_if(arrays.begin(), arrays.end(), [&, n = name](const auto& a) { return a.name == n; });
      if (array == arrays.end() || !option.path.empty())
        throw OptionError({.doing = task.doing,
                           .where = fmt::format("[{}.{}]", section, name),
                           .found = fmt::format("nothing of that name in {}, read as {}", task.where, layout.name),
                           .expected = "one of its fields, or axes for every field that is used",
                           .advice = "axes = [\"sample\", \"y\", \"x\"], as they are stored"});
      if (!option.unit.empty()) array->unit = option.unit;
    }
  };
  amend_arrays(layout.fields, options.fields, "data.fields");
  amend_arrays(layout.scalars, options.parameters, "data.parameters");
  amend_axes(layout, options.axes, file, task);
}

/// Formats older than their namesakes on HDF5, by how they begin.
void refuse_older_formats(const std::filesystem::path& path, const hdf5::Task& task)
{
  std::string magic(10, ' ');
  std::error_code none;
  if (std::filesystem::is_regular_file(path, none))  // opening a pipe would wait
    std::ifstream(path, std::ios::binary).read(magic.data(), 10);
  const auto refuse = [&](const std::string& found, const std::string& expected, const std::string& advice) {
    throw DataError({.doing = task.doing,
                     .where = task.where,
                     .found = found,
                     .expected = "a complete HDF5 file, as " + expected,
                     .advice = advice});
  };
  if (magic.starts_with("CDF"))
    refuse("netCDF's classic format", "netCDF-4 is", fmt::format("nccopy -k netCDF-4 {} converted.nc", path.string()));
  if (magic == "MATLAB 5.0") refuse("MATLAB's format of before 7.3", "MATLAB's since is", "in MATLAB, `save -v7.3`");
}

/// What the rest of the code takes for granted of any layout.
void require_times(const Layout& layout, const hdf5::Task& task)
{
  const Tensor& times = layout.times;
  const bool each = times.dim() == 2 && times.size(0) == layout.samples;
  if ((times.dim() == 1 || each) && times.size(-1) > 0) return;
  throw DataError({.doing = task.doing,
                   .where = task.where,
                   .found = fmt::format("times {}", to_string(times.sizes())),
                   .expected = fmt::format("[step] or [sample = {}, step]", layout.samples),
                   .advice = layout.advice});
}

std::unique_ptr<Dataset::Part> open_part(const std::filesystem::path& path, const DatasetOptions& options,
                                         const hdf5::Task& task)
{
  auto part = std::make_unique<Dataset::Part>();
  part->path = path;
  refuse_older_formats(path, task);
  part->file = hdf5::open_file(path, task.doing);
  part->descriptor = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (names_axes(options)) {
    part->layout = described_layout(part->file, options, task);
  } else {
    part->layout = recognise(part->file, task);
    amend(part->layout, options, part->file, task);
  }
  require_times(part->layout, task);
  return part;
}

/// Files of one folder hold the same fields on the same grid at the same steps.
void require_alike(const Dataset::Part& a, const Dataset::Part& b, const hdf5::Task& task)
{
  const auto fields = [](const Layout& layout) {
    std::string text = fmt::format("{}, {} steps", layout.name, layout.steps());
    for (const auto* arrays : {&layout.fields, &layout.scalars})
      for (const StoredArray& f : *arrays) {
        text += fmt::format("; {} in {}", f.name, f.unit);
        for (std::size_t i = 0; i < std::min(f.axes.size(), f.shape.size()); ++i)
          if (f.axes[i] != sample_axis) text += fmt::format(" {} {}", f.axes[i], f.shape[i]);
      }
    return text;
  };
  if (fields(a.layout) == fields(b.layout)) return;
  throw DataError({.doing = task.doing,
                   .where = b.path.string(),
                   .found = fields(b.layout),
                   .expected = fmt::format("{}, as {} has", fields(a.layout), a.path.filename().string()),
                   .advice = "files of one kind in a folder"});
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& path, const DatasetOptions& options)
{
  const hdf5::Quiet quiet;
  const std::string doing = "opening the dataset";
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(path, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    if (entry->is_regular_file() && H5Fis_hdf5(entry->path().c_str()) > 0) files.push_back(entry->path());
  std::sort(files.begin(), files.end());
  if (files.empty()) files.push_back(path);  // a folder without any is refused as a folder

  std::vector<std::unique_ptr<Dataset::Part>> parts;
  for (const auto& file : files) {
    const hdf5::Task task{.doing = doing, .where = file.string()};
    const auto bytes = std::filesystem::file_size(file, error);  // that there is none open_part() says
    hdf5::rehearse(task, error ? 0 : bytes, [&] { open_part(file, options, task)->try_out(task); });
    parts.push_back(open_part(file, options, task));
    require_alike(*parts.front(), *parts.back(), task);
  }
  return std::make_unique<Dataset>(path, std::move(parts), options.every);
}

}  // namespace locum::io
