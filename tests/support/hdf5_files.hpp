#pragma once
#include <locum/io/hdf5/hdf5.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace locum::tests {

inline const io::hdf5::Task writing{.doing = "writing", .where = "test", .access = io::hdf5::Task::Access::write};

inline io::hdf5::FileHandle make_file(const std::filesystem::path& file)
{
  return io::hdf5::FileHandle(H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
}

/// A file of other people's data, or "" if there is none on this machine.
inline std::filesystem::path shared_data(const std::string& name)
{
  const char* folder = std::getenv("LOCUM_DATA");
  const auto file = std::filesystem::path(folder ? folder : "") / name;
  return folder && std::filesystem::exists(file) ? file : "";
}

}  // namespace locum::tests
