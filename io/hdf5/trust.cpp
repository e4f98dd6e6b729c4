#include "trust.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

namespace locum::io::hdf5 {

namespace {

constexpr std::uint64_t mebibyte = 1 << 20;
constexpr std::uint64_t largest_chunk = 1024 * mebibyte;

[[noreturn]] void refuse(const Task& task, std::string found, std::string expected, std::string advice)
{
  throw DataError({.doing = task.doing,
                   .where = task.where,
                   .found = std::move(found),
                   .expected = std::move(expected),
                   .advice = std::move(advice)});
}

/// a · b, or the largest number if that is larger.
std::uint64_t saturating_product(std::uint64_t a, std::uint64_t b)
{
  std::uint64_t product;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::uint64_t>::max() : product;
}

template <class Extents>
std::uint64_t bytes_of(const Extents& extents, std::uint64_t element)
{
  std::uint64_t bytes = element;
  for (const auto extent : extents)
    if (extent == 0) return 0;
  for (const auto extent : extents) bytes = saturating_product(bytes, static_cast<std::uint64_t>(extent));
  return bytes;
}

std::string amount(std::uint64_t bytes)
{
  if (bytes == std::numeric_limits<std::uint64_t>::max()) return "more than 2^64 bytes";
  if (bytes < 10 * mebibyte) return fmt::format("{} bytes", bytes);
  return fmt::format("{} MiB", bytes / mebibyte);
}

std::uint64_t size_of_file(hid_t object, const Task& task)
{
  const FileHandle file(check(H5Iget_file_id(object), task));
  hsize_t size;
  check(H5Fget_filesize(file.get(), &size), task);
  return size;
}

void refuse_claim(const Task& task, const std::string& what, std::uint64_t bytes, hid_t object)
{
  if (bytes <= largest_content(object, task)) return;
  refuse(task, fmt::format("{}, {}", what, amount(bytes)),
         fmt::format("what a file of {} can hold", amount(size_of_file(object, task))),
         "making the file again; if it is right and empty for the most part, `h5repack` the part that is not");
}

void refuse_filters(hid_t creation, const Task& task)
{
  const int filters = check(H5Pget_nfilters(creation), task);
  for (int i = 0; i < filters; ++i) {
    char name[64] = "";
    std::size_t parameters = 0;
    unsigned flags, config;
    const auto id = check(
        H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &parameters, nullptr, sizeof name, name, &config),
        task);
    if (H5Zfilter_avail(id) > 0) continue;
    name[sizeof name - 1] = '\0';
    refuse(task, fmt::format("values packed by filter {} \"{}\", which is not installed", id, name),
           "deflate, shuffle, fletcher32, or a filter HDF5 can load",
           "its plugin's folder in HDF5_PLUGIN_PATH, or `h5repack -f NONE` where it is installed");
  }
}

/// Where nothing is stored HDF5 fills in the fill value, unless the file says never to: then it leaves in memory what
/// was there before.
void refuse_holes(const ObjectHandle& dataset, hid_t creation, hid_t space, const std::vector<std::int64_t>& extents,
                  const std::vector<hsize_t>& chunk, const Task& task)
{
  H5D_fill_time_t filled;
  check(H5Pget_fill_time(creation, &filled), task);
  if (filled != H5D_FILL_TIME_NEVER || bytes_of(extents, 1) == 0) return;
  hsize_t stored = H5Dget_storage_size(dataset.get()) > 0, needed = 1;
  for (std::size_t i = 0; i < chunk.size(); ++i) needed *= (static_cast<hsize_t>(extents[i]) + chunk[i] - 1) / chunk[i];
  if (!chunk.empty()) check(H5Dget_num_chunks(dataset.get(), space, &stored), task);
  if (stored >= needed) return;
  refuse(task, "values that were never written, and nothing said to stand for them", "all values, or a fill value",
         "making the file again");
}

}  // namespace

std::uint64_t largest_content(hid_t object, const Task& task)
{
  constexpr std::uint64_t deflate_ratio = 1032, unstored = 64 * mebibyte;
  const auto packed = saturating_product(size_of_file(object, task), deflate_ratio);
  return packed + std::min(unstored, std::numeric_limits<std::uint64_t>::max() - packed);
}

void refuse_untrustworthy(const ObjectHandle& dataset, const Task& task)
{
  const PropertyHandle creation(check(H5Dget_create_plist(dataset.get()), task));
  const auto layout = check(H5Pget_layout(creation.get()), task);
  if (layout == H5D_VIRTUAL)
    refuse(task, "a virtual dataset: its values lie in other files", "values in this file",
           "opening those files, or a copy of the values in one file (`h5py`: out[name] = file[name][:])");
  if (check(H5Pget_external_count(creation.get()), task) > 0) {
    char name[256] = "";
    check(H5Pget_external(creation.get(), 0, sizeof name - 1, name, nullptr, nullptr), task);
    refuse(task, fmt::format("values outside of the file, in \"{}\"", name), "values in this file",
           "a copy of the values in one file (`h5repack`)");
  }
  refuse_filters(creation.get(), task);

  const TypeHandle type(check(H5Dget_type(dataset.get()), task));
  const SpaceHandle space(check(H5Dget_space(dataset.get()), task));
  if (check(H5Sget_simple_extent_type(space.get()), task) == H5S_NULL) return;  // holds nothing
  const auto extents = extents_of(space.get(), task);
  const auto element = H5Tget_size(type.get());
  refuse_claim(task, fmt::format("values [{}]", fmt::join(extents, ", ")), bytes_of(extents, element), dataset.get());
  std::vector<hsize_t> chunk(layout == H5D_CHUNKED ? extents.size() : 0);
  if (!chunk.empty()) {
    check(H5Pget_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data()), task);
    const auto bytes = bytes_of(chunk, element);
    if (bytes > largest_chunk)
      refuse(task, fmt::format("chunks [{}] of {}", fmt::join(chunk, ", "), amount(bytes)),
             fmt::format("at most {}: HDF5 reads them whole", amount(largest_chunk)), "`h5repack -l CHUNK=…`");
    refuse_claim(task, fmt::format("chunks [{}]", fmt::join(chunk, ", ")), bytes, dataset.get());
  }
  refuse_holes(dataset, creation.get(), space.get(), extents, chunk, task);
}

void refuse_list(hid_t object, std::size_t count, hid_t type, const Task& task)
{
  const auto file = size_of_file(object, task);
  const auto bytes = saturating_product(count, H5Tget_size(type));
  if (bytes > file)
    refuse(task, fmt::format("{} values, {}", count, amount(bytes)),
           fmt::format("what a file of {} can hold", amount(file)), "making the file again");
  constexpr std::size_t most = 256;
  if (count > most && check(H5Tdetect_class(type, H5T_VLEN), task) +
                              (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0) >
                          0)
    refuse(task, fmt::format("{} texts of variable length", count), fmt::format("at most {}", most), "");
}

bool is_usual_number(hid_t type)
{
  const auto kind = H5Tget_class(type);
  if (kind != H5T_INTEGER && kind != H5T_FLOAT) return false;
  const hid_t usual[] = {
      H5T_STD_I8LE,  H5T_STD_I8BE,  H5T_STD_I16LE,  H5T_STD_I16BE,  H5T_STD_I32LE,  H5T_STD_I32BE,  H5T_STD_I64LE,
      H5T_STD_I64BE, H5T_STD_U8LE,  H5T_STD_U8BE,   H5T_STD_U16LE,  H5T_STD_U16BE,  H5T_STD_U32LE,  H5T_STD_U32BE,
      H5T_STD_U64LE, H5T_STD_U64BE, H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE, H5T_NATIVE_LDOUBLE};
  for (const hid_t standard : usual)
    if (H5Tequal(type, standard) > 0) return true;
  // IEEE half precision, as h5py writes it, has no name in HDF5.
  std::size_t sign, exponent, exponent_bits, mantissa, mantissa_bits;
  return kind == H5T_FLOAT && H5Tget_size(type) == 2 &&
         H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) >= 0 && sign == 15 &&
         exponent == 10 && exponent_bits == 5 && mantissa == 0 && mantissa_bits == 10 && H5Tget_ebias(type) == 15 &&
         H5Tget_offset(type) == 0 && H5Tget_precision(type) == 16;
}

std::vector<std::int64_t> extents_of(hid_t space, const Task& task)
{
  if (check(H5Sget_simple_extent_type(space), task) == H5S_NULL)
    refuse(task, "no values (a null dataspace)", "an array", "");
  std::vector<hsize_t> extents(static_cast<std::size_t>(check(H5Sget_simple_extent_ndims(space), task)));
  check(H5Sget_simple_extent_dims(space, extents.data(), nullptr), task);
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  for (const hsize_t extent : extents)
    if (extent > most || bytes_of(extents, 1) > most)
      refuse(task, fmt::format("extents [{}]", fmt::join(extents, ", ")), "fewer than 2^63 values", "");
  return {extents.begin(), extents.end()};
}

}  // namespace locum::io::hdf5
