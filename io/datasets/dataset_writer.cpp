#include "dataset_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <locum/core/agree.hpp>
#include <locum/core/error.hpp>
#include <system_error>

#include "../hdf5/hdf5.hpp"
#include "../paraview/xdmf.hpp"

namespace locum::io {

namespace {

hdf5::Task writing(const std::filesystem::path& file)
{
  return {.doing = "writing the dataset", .where = file.string(), .access = hdf5::Task::Access::write};
}

/// Order of the tensor a field of so many components is in The Well's terms.
int tensor_order(const FieldDescription& field, const Grid& grid)
{
  const auto dimensions = static_cast<std::int64_t>(grid.axes.size());
  if (field.components == 1) return 0;
  if (field.components == dimensions) return 1;
  if (field.components == dimensions * dimensions) return 2;
  throw ShapeError({.doing = "laying out the dataset",
                    .where = fmt::format("field {}", field.name),
                    .found = fmt::format("{} components", field.components),
                    .expected = fmt::format("1, {} or {}: a scalar, vector or tensor in {} dimensions", dimensions,
                                            dimensions * dimensions, dimensions),
                    .advice = "one field for each component"});
}

std::string path_of(const FieldDescription& field, const Grid& grid)
{
  return fmt::format("t{}_fields/{}", tensor_order(field, grid), field.name);
}

/// [sample, (step,) (z, y,) x, (component, (component))]
std::vector<std::int64_t> shape_of(const FieldDescription& field, const DatasetHeader& header)
{
  std::vector<std::int64_t> shape = {header.samples};
  if (field.time_varying) shape.push_back(static_cast<std::int64_t>(header.times.size()));
  const auto points = header.grid.shape();
  shape.insert(shape.end(), points.begin(), points.end());
  shape.insert(shape.end(), static_cast<std::size_t>(tensor_order(field, header.grid)),
               static_cast<std::int64_t>(points.size()));
  return shape;
}

void describe_varying(const hdf5::ObjectHandle& object, bool sample, bool time, const hdf5::Task& task)
{
  hdf5::write_attribute(object.get(), "sample_varying", sample, task);
  hdf5::write_attribute(object.get(), "time_varying", time, task);
}

void describe_quantity(const hdf5::ObjectHandle& object, const std::string& name, const std::string& unit,
                       const hdf5::Task& task)
{
  std::string long_name = name;
  std::replace(long_name.begin(), long_name.end(), '_', ' ');
  hdf5::write_attribute(object.get(), "units", unit, task);
  hdf5::write_attribute(object.get(), "long_name", long_name, task);
}

void lay_out_dimensions(hid_t file, const DatasetHeader& header, const hdf5::Task& task)
{
  const Grid& grid = header.grid;
  std::vector<std::string> names;
  for (const Axis& axis : grid.axes) names.push_back(axis.name);
  hdf5::write_attribute(hdf5::create_group(file, "dimensions", task).get(), "spatial_dims", names, task);
  const auto time = hdf5::write(file, "dimensions/time", torch::tensor(header.times, torch::kFloat64), task);
  hdf5::write_attribute(time.get(), "sample_varying", false, task);
  for (std::size_t i = 0; i < grid.axes.size(); ++i) {
    const auto dimension = hdf5::write(file, "dimensions/" + names[i], grid.coordinates(i), task);
    describe_varying(dimension, false, false, task);
    hdf5::write_attribute(dimension.get(), "units", grid.axes[i].unit, task);
    hdf5::write_attribute(dimension.get(), "spacing", grid.axes[i].spacing, task);
  }
}

/// One group an axis, as The Well's own writer makes them: "x_wall", "y_periodic". The mask marks both ends.
void lay_out_boundaries(hid_t file, const Grid& grid, const hdf5::Task& task)
{
  hdf5::create_group(file, "boundary_conditions", task);
  for (const Axis& axis : grid.axes) {
    const std::string name = fmt::format("boundary_conditions/{}_{}", axis.name, axis.periodic ? "periodic" : "wall");
    const auto group = hdf5::create_group(file, name, task);
    hdf5::write_attribute(group.get(), "associated_dims", std::vector<std::string>{axis.name}, task);
    hdf5::write_attribute(group.get(), "associated_fields", std::vector<std::string>{}, task);
    hdf5::write_attribute(group.get(), "bc_type", std::string(axis.periodic ? "PERIODIC" : "WALL"), task);
    describe_varying(group, false, false, task);
    Tensor mask = torch::zeros({axis.points}, torch::kBool);
    mask[0] = true;
    mask[-1] = true;
    hdf5::write(file, name + "/mask", mask, task);
  }
}

void lay_out_fields(hid_t file, const DatasetHeader& header, const hdf5::Task& task)
{
  const hdf5::TypeHandle type = hdf5::stored_type(header.type, task);
  const std::vector<bool> dim_varying(header.grid.axes.size(), true);
  for (int order = 0; order < 3; ++order) {
    const std::string group = fmt::format("t{}_fields", order);
    const auto fields = hdf5::create_group(file, group, task);
    std::vector<std::string> names;
    for (const FieldDescription& field : header.fields) {
      if (tensor_order(field, header.grid) != order) continue;
      names.push_back(field.name);
      const auto dataset = hdf5::create(file, path_of(field, header.grid), type.get(), shape_of(field, header), task);
      hdf5::write_attribute(dataset.get(), "dim_varying", dim_varying, task);
      describe_varying(dataset, true, field.time_varying, task);
      describe_quantity(dataset, field.name, field.unit, task);
    }
    hdf5::write_attribute(fields.get(), "field_names", names, task);
  }
}

void lay_out_scalars(hid_t file, const DatasetHeader& header, const hdf5::Task& task)
{
  const auto scalars = hdf5::create_group(file, "scalars", task);
  const hdf5::TypeHandle type = hdf5::stored_type(torch::kFloat64, task);
  std::vector<std::string> names;
  for (const auto& [name, unit] : header.scalars) {
    names.push_back(name);
    const auto dataset = hdf5::create(file, "scalars/" + name, type.get(), {header.samples}, task);
    describe_varying(dataset, true, false, task);
    describe_quantity(dataset, name, unit, task);
  }
  hdf5::write_attribute(scalars.get(), "field_names", names, task);
}

/// Where the values of `path` begin in the file; they lie there one after the other, as in memory.
std::int64_t offset_of(hid_t file, const std::string& path, const hdf5::Task& task)
{
  const hdf5::ObjectHandle dataset(hdf5::check(H5Dopen2(file, path.c_str(), H5P_DEFAULT), task));
  const auto offset = H5Dget_offset(dataset.get());
  return offset == HADDR_UNDEF ? 0 : static_cast<std::int64_t>(offset);  // none: no values
}

/// The whole file but for its values, with room for them.
void lay_out(hid_t file, const DatasetHeader& header, const hdf5::Task& task)
{
  hdf5::write_attribute(file, "dataset_name", header.name, task);
  hdf5::write_attribute(file, "grid_type", std::string("cartesian"), task);
  hdf5::write_attribute(file, "n_spatial_dims", static_cast<std::int64_t>(header.grid.axes.size()), task);
  hdf5::write_attribute(file, "n_trajectories", header.samples, task);
  hdf5::write_attribute(file, "simulation_parameters", std::vector<std::string>{}, task);
  lay_out_dimensions(file, header, task);
  lay_out_boundaries(file, header.grid, task);
  lay_out_fields(file, header, task);
  lay_out_scalars(file, header, task);
  const auto provenance = hdf5::create_group(file, "provenance", task);
  for (const auto& [name, value] : header.provenance) hdf5::write_attribute(provenance.get(), name, value, task);
}

/// Copies what is in a file of holes for the most part.
void copy_content(const Descriptor& from, const std::filesystem::path& to)
{
  const auto descriptor = open_for_writing(to);
  std::vector<std::byte> block;
  off_t begin = 0;
  while ((begin = ::lseek(from.get(), begin, SEEK_DATA)) >= 0) {  // fails behind the last
    const off_t end = ::lseek(from.get(), begin, SEEK_HOLE);
    block.resize(static_cast<std::size_t>(std::min<off_t>(end - begin, 1 << 20)));
    const auto count = ::pread(from.get(), block.data(), block.size(), begin);
    if (count <= 0) throw system_error("laying out", to, errno);
    write_at(descriptor, std::span(block).first(static_cast<std::size_t>(count)), static_cast<std::size_t>(begin), to);
    begin += count;
  }
}

/// Makes `partial`, all but the values, by one process alone: nothing in it can depend on the number of ranks. HDF5
/// does it in memory, where the values are holes that cost nothing: it does not recover from a disk that fails, and
/// crashes when the program ends.
/// @param offsets  of the values, by path: filled in
void make_partial(const std::filesystem::path& partial, const DatasetHeader& header,
                  std::map<std::string, std::int64_t>& offsets)
{
  std::string name = "/dev/shm/locum-XXXXXX";
  const Descriptor memory(::mkostemp(name.data(), O_CLOEXEC));
  if (!memory) throw system_error("laying out the dataset in memory", name, errno);
  const hdf5::Task task{
      .doing = "laying out the dataset", .where = partial.string(), .access = hdf5::Task::Access::write};
  hdf5::FileHandle file(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  ::unlink(name.c_str());  // it goes on without a name, and nothing is left of a process that is killed
  hdf5::check(file.get(), task);
  lay_out(file.get(), header, task);
  for (auto& [path, offset] : offsets) offset = offset_of(file.get(), path, task);
  hdf5::check(H5Fclose(file.give_up()), task);

  const off_t size = ::lseek(memory.get(), 0, SEEK_END);
  reserve(partial, static_cast<std::size_t>(size));  // a disk that is too small shows now, not after hours
  copy_content(memory, partial);
}

static_assert(std::endian::native == std::endian::little, "values are stored as they lie in memory, little-endian");

}  // namespace

DatasetWriter::DatasetWriter(const Communicator& ranks, std::filesystem::path file, DatasetHeader header)
    : ranks_(ranks), path_(std::move(file)), partial_(path_.string() + ".partial"), header_(std::move(header))
{
  const hdf5::Quiet quiet;
  for (const FieldDescription& field : header_.fields) tensor_order(field, header_.grid);
  if (header_.times.empty())
    throw ShapeError({.doing = "laying out the dataset",
                      .where = path_.string(),
                      .found = "no times",
                      .expected = "the time of at least one step",
                      .advice = ""});
  try {
    std::map<std::string, std::int64_t> offsets;
    for (const FieldDescription& field : header_.fields) offsets[path_of(field, header_.grid)] = 0;
    for (const auto& [name, unit] : header_.scalars) offsets["scalars/" + name] = 0;
    agree(ranks_, [&] {
      if (ranks_.is_root()) make_partial(partial_, header_, offsets);
    });
    agree(ranks_, [&] { file_ = open_for_writing(partial_); });
    for (const auto& [path, offset] : offsets) offsets_[path] = static_cast<std::size_t>(ranks_.sum(offset));
  } catch (const std::exception&) {
    std::error_code ignored;  // the first failure is the one to report
    if (ranks_.is_root()) std::filesystem::remove(partial_, ignored);
    throw;
  }
}

DatasetWriter::~DatasetWriter()
{
  if (closed_) return;
  std::error_code ignored;  // a destructor has nobody to tell
  if (ranks_.is_root()) std::filesystem::remove(partial_, ignored);
}

void DatasetWriter::write_rows(const std::string& path, std::int64_t first, std::optional<std::int64_t> step,
                               const Tensor& values) const
{
  const std::span bytes(static_cast<const std::byte*>(values.data_ptr()), values.nbytes());
  if (bytes.empty()) return;
  const auto row = bytes.size() / static_cast<std::size_t>(values.size(0));  // one sample, or one step of it
  if (!step) {
    write_at(file_, bytes, offsets_.at(path) + static_cast<std::size_t>(first) * row, path_);
    return;
  }
  for (std::int64_t i = 0; i < values.size(0); ++i) {
    const auto place = (first + i) * static_cast<std::int64_t>(header_.times.size()) + *step;
    write_at(file_, bytes.subspan(static_cast<std::size_t>(i) * row, row),
             offsets_.at(path) + static_cast<std::size_t>(place) * row, path_);
  }
}

void DatasetWriter::write(std::int64_t first, const Sample& samples, std::int64_t step)
{
  const hdf5::Task task = writing(path_);
  const std::int64_t count = samples.batch();
  const auto steps = static_cast<std::int64_t>(header_.times.size());
  if (first < 0 || first > header_.samples - count || step < 0 || step >= steps)
    throw ShapeError(
        {.doing = task.doing,
         .where = task.where,
         .found = fmt::format("samples {} to {}, step {}", first, first + count - 1, step),
         .expected = fmt::format("some of its {} samples and {} steps, numbered from 0", header_.samples, steps),
         .advice = ""});

  for (const FieldDescription& description : header_.fields) {
    if (step > 0 && !description.time_varying) continue;
    const Field& field = samples.field(description.name);
    const std::string where = fmt::format("{}, field {}", task.where, description.name);
    std::vector<std::int64_t> expected = {count, description.components};
    const auto points = header_.grid.shape();
    expected.insert(expected.end(), points.begin(), points.end());
    if (field.values.sizes() != torch::IntArrayRef(expected))
      throw ShapeError({.doing = task.doing,
                        .where = where,
                        .found = fmt::format("values {}", to_string(field.values.sizes())),
                        .expected = to_string(expected),
                        .advice = ""});
    if (field.unit != description.unit)
      throw DataError({.doing = task.doing,
                       .where = where,
                       .found = fmt::format("unit \"{}\"", field.unit),
                       .expected = fmt::format("\"{}\", as the dataset's header says", description.unit),
                       .advice = ""});
    auto shape = shape_of(description, header_);
    shape[0] = count;
    if (description.time_varying) shape[1] = 1;
    const Tensor values =
        field.values.detach().to(torch::kCPU, header_.type).movedim(1, -1).reshape(shape).contiguous();
    write_rows(path_of(description, header_.grid), first, description.time_varying ? std::optional(step) : std::nullopt,
               values);
  }
  for (const auto& [name, unit] : header_.scalars) {
    if (step > 0) break;
    const auto scalar = samples.scalars.find(name);
    if (scalar == samples.scalars.end() || scalar->second.unit != unit)
      throw DataError(
          {.doing = task.doing,
           .where = fmt::format("{}, scalar {}", task.where, name),
           .found = scalar == samples.scalars.end() ? "none" : fmt::format("unit \"{}\"", scalar->second.unit),
           .expected = fmt::format("one value a sample, in \"{}\"", unit),
           .advice = ""});
    if (scalar->second.values.sizes() != torch::IntArrayRef({count}))
      throw ShapeError({.doing = task.doing,
                        .where = fmt::format("{}, scalar {}", task.where, name),
                        .found = fmt::format("values {}", to_string(scalar->second.values.sizes())),
                        .expected = fmt::format("[{}]", count),
                        .advice = ""});
    const Tensor values = scalar->second.values.detach().to(torch::kCPU, torch::kFloat64).contiguous();
    write_rows("scalars/" + name, first, std::nullopt, values);
  }
  written_ += count;
}

void DatasetWriter::write_xdmf() const
{
  std::vector<StoredRows> arrays;
  for (const FieldDescription& field : header_.fields) {
    const std::string path = path_of(field, header_.grid);
    arrays.push_back({.name = field.name,
                      .unit = field.unit,
                      .path = path,
                      .offset = static_cast<std::int64_t>(offsets_.at(path)),
                      .value_bytes = header_.type == torch::kFloat32 ? 4 : 8,
                      .time_varying = field.time_varying,
                      .components = field.components,
                      .shape = shape_of(field, header_)});
  }
  for (const auto& [name, unit] : header_.scalars) {
    const std::string path = "scalars/" + name;
    arrays.push_back({.name = name,
                      .unit = unit,
                      .path = path,
                      .offset = static_cast<std::int64_t>(offsets_.at(path)),
                      .value_bytes = 8,
                      .time_varying = false,
                      .components = 0,
                      .shape = {header_.samples}});
  }
  agree(ranks_, [&] {
    if (!ranks_.is_root()) return;
    const auto text = xdmf_of(path_.filename().string(), header_.grid, header_.times, header_.samples, arrays);
    write_atomically(std::filesystem::path(path_).replace_extension(".xdmf"), std::as_bytes(std::span(text)));
  });
}

void DatasetWriter::close()
{
  const auto all = header_.samples * static_cast<std::int64_t>(header_.times.size());
  const auto written = ranks_.sum(written_);
  if (written != all)  // on all ranks alike
    throw DataError({.doing = "finishing the dataset",
                     .where = path_.string(),
                     .found = fmt::format("{} samples written", written),
                     .expected = fmt::format("each of {} once", all),
                     .advice = ""});
  agree(ranks_, [&] { flush(file_, path_); });
  agree(ranks_, [&] {
    if (ranks_.is_root()) publish(partial_, path_);
  });
  closed_ = true;
}

}  // namespace locum::io
