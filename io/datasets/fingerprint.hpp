#pragma once
#include <filesystem>
#include <string>

namespace locum::io {

/// Names the content of a file without reading all of it: size, time of the last change, and the XXH3-128 hash of 256
/// pages spread over it. Another file, or a changed one, has another fingerprint; a copy has, too.
/// @throws SystemError  if the file cannot be read
std::string fingerprint_of(const std::filesystem::path& file);

}  // namespace locum::io
