#include <fmt/format.h>
#include <fmt/ranges.h>

#include "hdf5.hpp"
#include "trust.hpp"

namespace locum::io::hdf5 {

std::vector<std::int64_t> shape_of(const ObjectHandle& dataset, const Task& task)
{
  if (!is_dataset(dataset))
    throw DataError({.doing = task.doing,
                     .where = task.where,
                     .found = "a group",
                     .expected = "an array of numbers",
                     .advice = fmt::format("`locum info {}`", task.where.substr(0, task.where.find(":/")))});
  const SpaceHandle space(check(H5Dget_space(dataset.get()), task));
  return extents_of(space.get(), task);
}

std::optional<torch::Dtype> type_of(const ObjectHandle& dataset, const Task& task)
{
  const TypeHandle type(check(H5Dget_type(dataset.get()), task));
  const hid_t kind = type.get();
  const bool boolean = H5Tget_class(kind) == H5T_ENUM;  // of whole numbers
  const TypeHandle numbers(check(boolean ? H5Tget_super(kind) : H5Tcopy(kind), task));
  if (!is_usual_number(numbers.get())) return std::nullopt;
  if (H5Tget_class(numbers.get()) == H5T_INTEGER) return torch::kInt64;
  return H5Tget_size(numbers.get()) <= 4 ? torch::kFloat32 : torch::kFloat64;
}

[[noreturn]] static void refuse_values(const Task& task)
{
  throw DataError({.doing = task.doing,
                   .where = task.where,
                   .found = "values that are no numbers, or numbers in a format of their own",
                   .expected = "whole numbers of 1 to 8 bytes, or IEEE floating point",
                   .advice = ""});
}

/// Refuses a part that the dataset does not have, before there is memory for it.
static void require_part(const ObjectHandle& dataset, torch::IntArrayRef start, torch::IntArrayRef count,
                         const Task& task)
{
  const auto shape = shape_of(dataset, task);
  bool inside = start.size() == shape.size() && count.size() == shape.size();
  for (std::size_t i = 0; inside && i < shape.size(); ++i)
    inside = start[i] >= 0 && count[i] >= 0 && start[i] <= shape[i] && count[i] <= shape[i] - start[i];
  if (inside) return;
  throw DataError(
      {.doing = task.doing,
       .where = task.where,
       .found = fmt::format("a request for [{}] values from [{}] on", fmt::join(count, ", "), fmt::join(start, ", ")),
       .expected = fmt::format("some of its [{}]", fmt::join(shape, ", ")),
       .advice = fmt::format("`locum info {}`", task.where.substr(0, task.where.find(":/")))});
}

torch::Tensor read(const ObjectHandle& dataset, const std::vector<std::int64_t>& start,
                   const std::vector<std::int64_t>& count, torch::Dtype type, const Task& task)
{
  require_part(dataset, start, count, task);
  torch::Tensor values = torch::empty(count, type);
  read(dataset, start, values, task);
  return values;
}

void read(const ObjectHandle& dataset, const std::vector<std::int64_t>& start, const torch::Tensor& values,
          const Task& task)
{
  const auto count = values.sizes();
  require_part(dataset, start, count, task);
  if (!type_of(dataset, task)) refuse_values(task);
  if (values.numel() == 0) return;
  const TypeHandle stored(check(H5Dget_type(dataset.get()), task));
  if (H5Tget_class(stored.get()) == H5T_ENUM && values.is_floating_point()) {
    const torch::Tensor codes = torch::empty(count, torch::kInt64);
    read(dataset, start, codes, task);  // HDF5 converts enumerations, as booleans are, to integers only
    values.copy_(codes);
    return;
  }
  const SpaceHandle file(check(H5Dget_space(dataset.get()), task));
  const SpaceHandle memory(check(H5Scopy(file.get()), task));
  if (!start.empty()) {
    const std::vector<hsize_t> first(start.begin(), start.end()), extent(count.begin(), count.end());
    check(H5Sselect_hyperslab(file.get(), H5S_SELECT_SET, first.data(), nullptr, extent.data(), nullptr), task);
    check(H5Sset_extent_simple(memory.get(), static_cast<int>(extent.size()), extent.data(), nullptr), task);
  }
  check(H5Dread(dataset.get(), memory_type(values.scalar_type(), task), memory.get(), file.get(), H5P_DEFAULT,
                values.data_ptr()),
        task);
}

torch::Tensor read(const ObjectHandle& dataset, const Task& task)
{
  const auto shape = shape_of(dataset, task);
  const auto type = type_of(dataset, task);
  if (!type) refuse_values(task);
  return read(dataset, std::vector<std::int64_t>(shape.size(), 0), shape, *type, task);
}

[[noreturn]] static void refuse_type(torch::Dtype type, const Task& task)
{
  throw DataError({.doing = task.doing,
                   .where = task.where,
                   .found = fmt::format("values of type {}", c10::toString(type)),
                   .expected = "Float, Double or Long",
                   .advice = "converting them first"});
}

TypeHandle stored_type(torch::Dtype type, const Task& task)
{
  if (type == torch::kBool) {
    TypeHandle boolean(check(H5Tenum_create(H5T_STD_I8LE), task));
    for (const auto& [name, value] : {std::pair{"FALSE", std::int8_t{0}}, std::pair{"TRUE", std::int8_t{1}}})
      check(H5Tenum_insert(boolean.get(), name, &value), task);
    return boolean;
  }
  if (type == torch::kFloat32) return TypeHandle(check(H5Tcopy(H5T_IEEE_F32LE), task));
  if (type == torch::kFloat64) return TypeHandle(check(H5Tcopy(H5T_IEEE_F64LE), task));
  if (type == torch::kInt64) return TypeHandle(check(H5Tcopy(H5T_STD_I64LE), task));
  refuse_type(type, task);
}

hid_t memory_type(torch::Dtype type, const Task& task)
{
  if (type == torch::kFloat32) return H5T_NATIVE_FLOAT;
  if (type == torch::kFloat64) return H5T_NATIVE_DOUBLE;
  if (type == torch::kInt64) return H5T_NATIVE_INT64;
  refuse_type(type, task);
}

ObjectHandle create(hid_t parent, const std::string& path, hid_t type, const std::vector<std::int64_t>& shape,
                    const Task& task)
{
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  const SpaceHandle space(check(shape.empty()
                                    ? H5Screate(H5S_SCALAR)
                                    : H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
                                task));
  const PropertyHandle links(check(H5Pcreate(H5P_LINK_CREATE), task));
  check(H5Pset_create_intermediate_group(links.get(), 1), task);
  check(H5Pset_char_encoding(links.get(), H5T_CSET_UTF8), task);
  const PropertyHandle creation(check(H5Pcreate(H5P_DATASET_CREATE), task));
  check(H5Pset_layout(creation.get(), H5D_CONTIGUOUS), task);
  check(H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY), task);
  check(H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER), task);
  check(H5Pset_obj_track_times(creation.get(), false), task);
  return ObjectHandle(check(
      H5Dcreate2(parent, path.c_str(), type, space.get(), links.get(), creation.get(), H5P_DEFAULT), at(task, path)));
}

ObjectHandle write(hid_t parent, const std::string& path, const torch::Tensor& values, const Task& task)
{
  const torch::Tensor dense = values.detach().to(torch::kCPU).contiguous();
  const TypeHandle type = stored_type(dense.scalar_type(), at(task, path));
  ObjectHandle dataset = create(parent, path, type.get(), dense.sizes().vec(), task);
  const hid_t memory = dense.scalar_type() == torch::kBool ? type.get() : memory_type(dense.scalar_type(), task);
  if (dense.numel() > 0)
    check(H5Dwrite(dataset.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, dense.data_ptr()), at(task, path));
  return dataset;
}

}  // namespace locum::io::hdf5
