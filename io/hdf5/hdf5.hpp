#pragma once
// Internal to locum::io: the one header that knows hdf5.h.
#include <hdf5.h>
#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <locum/core/error.hpp>
#include <locum/core/handle.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace locum::io::hdf5 {

using FileHandle = Handle<hid_t, hid_t{-1}, H5Fclose>;
using ObjectHandle = Handle<hid_t, hid_t{-1}, H5Oclose>;  // a group or a dataset
using SpaceHandle = Handle<hid_t, hid_t{-1}, H5Sclose>;
using TypeHandle = Handle<hid_t, hid_t{-1}, H5Tclose>;
using AttributeHandle = Handle<hid_t, hid_t{-1}, H5Aclose>;
using PropertyHandle = Handle<hid_t, hid_t{-1}, H5Pclose>;

/// While it lives, HDF5 keeps its errors to itself instead of printing them; check() reads them.
class Quiet {
 public:
  Quiet();
  ~Quiet();
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  H5E_auto2_t printer_ = nullptr;
  void* data_ = nullptr;
};

/// What is being done to which file or dataset, for messages.
struct Task {
  enum class Access { read, write };
  std::string doing;
  std::string where;
  Access access = Access::read;
};

/// The same task on object `path` of the file.
Task at(const Task& task, const std::string& path);

/// Throws DataError (reading) or SystemError (writing) with HDF5's innermost message.
[[noreturn]] void fail(const Task& task);

/// `result` of an HDF5 function called just before, unless it says that the function failed.
template <class Result>
Result check(Result result, const Task& task)
{
  if (result < 0) fail(task);
  return result;
}

/// Opens a file for reading.
/// @throws SystemError  if there is no such file or it may not be read
/// @throws SystemError  if it is no regular file, or cannot be locked
/// @throws DataError    if it is not HDF5, or truncated
FileHandle open_file(const std::filesystem::path& file, const std::string& doing);

/// A new file that never touches the disk, of which HDF5 could not bear a failure: what is to be written goes there as
/// image_of() it.
/// @param increment  bytes it grows by
/// @param creation   the file's properties, or none
FileHandle create_in_memory(std::size_t increment, const PropertyHandle& creation, const Task& task);
std::vector<std::byte> image_of(const FileHandle& file, const Task& task);
/// Opens the image of a file, a copy of it, for reading.
FileHandle open_image(std::span<const std::byte> image, const Task& task);

/// Names of the groups and datasets of a group, in alphabetical order. Left out are links to other files, since a file
/// from elsewhere must not make us open another, and names that are not UTF-8 text of one line.
std::vector<std::string> children(hid_t group, const Task& task);
/// Whether `name` is among children().
bool has_child(hid_t group, const std::string& name, const Task& task);
/// Opens a group or dataset that is among children().
/// @throws DataError  naming it and its neighbours if there is none; or if it is a dataset that refuse_untrustworthy()
///                    refuses (trust.hpp): values in other files, unknown filters, absurd shapes
ObjectHandle open_child(hid_t group, const std::string& name, const Task& task);
bool is_dataset(const ObjectHandle& object);
/// Makes a group, and those on the way to it.
ObjectHandle create_group(hid_t parent, const std::string& path, const Task& task);

// Attributes. Strings are UTF-8 of variable length, booleans h5py's enumeration of int8; lists have one axis, and an
// empty list is a float64 attribute of no values, as h5py writes it.
void write_attribute(hid_t object, const std::string& name, const std::string& value, const Task& task);
void write_attribute(hid_t object, const std::string& name, std::int64_t value, const Task& task);
void write_attribute(hid_t object, const std::string& name, double value, const Task& task);
void write_attribute(hid_t object, const std::string& name, bool value, const Task& task);
void write_attribute(hid_t object, const std::string& name, const std::vector<std::string>& values, const Task& task);
void write_attribute(hid_t object, const std::string& name, const std::vector<bool>& values, const Task& task);
/// Nothing if there is no such attribute; one string reads as a list of one. What is not UTF-8 is read as Latin-1.
/// @throws DataError  if it is of another kind, or larger than the file can hold.
std::optional<std::vector<std::string>> read_strings(hid_t object, const std::string& name, const Task& task);
std::optional<std::string> read_string(hid_t object, const std::string& name, const Task& task);
/// Names of an object's attributes, in alphabetical order.
std::vector<std::string> attribute_names(hid_t object, const Task& task);
/// Numbers and booleans alike; one number reads as a list of one.
std::optional<std::vector<double>> read_numbers(hid_t object, const std::string& name, const Task& task);

/// Whether an attribute that is there holds numbers or booleans.
bool is_number(hid_t object, const std::string& name, const Task& task);
/// Whether an attribute that is there holds text.
bool is_text(hid_t object, const std::string& name, const Task& task);

/// Extents of a dataset, slowest axis first.
std::vector<std::int64_t> shape_of(const ObjectHandle& dataset, const Task& task);
/// float32, float64 or int64, whichever holds the stored numbers or booleans; nothing if they are none of the usual
/// formats of numbers (is_usual_number()).
std::optional<torch::Dtype> type_of(const ObjectHandle& dataset, const Task& task);
/// A part of a dataset, from `start` on, `count` long along each axis, converted to `type`.
/// @throws DataError  if the dataset has no such part, or no numbers
torch::Tensor read(const ObjectHandle& dataset, const std::vector<std::int64_t>& start,
                   const std::vector<std::int64_t>& count, torch::Dtype type, const Task& task);
/// The same into memory that is there: `values` is contiguous, its sizes are the count.
void read(const ObjectHandle& dataset, const std::vector<std::int64_t>& start, const torch::Tensor& values,
          const Task& task);
/// All of a dataset in the type type_of() gives.
torch::Tensor read(const ObjectHandle& dataset, const Task& task);

/// How numbers of `type` (float32, float64, int64, bool) are stored, and how they lie in memory.
/// @throws DataError  for other types.
TypeHandle stored_type(torch::Dtype type, const Task& task);
hid_t memory_type(torch::Dtype type, const Task& task);
/// Makes a contiguous dataset with room for all its values, without times so that equal content is equal bytes.
ObjectHandle create(hid_t parent, const std::string& path, hid_t type, const std::vector<std::int64_t>& shape,
                    const Task& task);
/// Makes a dataset of a tensor's type and shape and fills it.
ObjectHandle write(hid_t parent, const std::string& path, const torch::Tensor& values, const Task& task);

}  // namespace locum::io::hdf5
