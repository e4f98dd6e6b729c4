#pragma once
#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <string>

namespace locum::io {

/// A file and a place in it, as users write it: "weights.h5:/model". Without ":/…" the place is the root, "/".
struct Location {
  std::filesystem::path file;
  std::string place;
};
Location parse_location(const std::string& text);

/// One array of an HDF5 file as it is stored: float32, float64 or int64.
/// @throws SystemError, DataError  naming file and object
torch::Tensor read_array(const Location& location);
/// All arrays of a group, by name; those of groups in it as "group/name".
/// @throws DataError  also if one holds no numbers
std::map<std::string, torch::Tensor> read_arrays(const Location& group);
/// Writes a file with one array, atomically.
void write_array(const std::filesystem::path& file, const std::string& name, const torch::Tensor& values);

}  // namespace locum::io
