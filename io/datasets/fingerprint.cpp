#include "fingerprint.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <vector>

#include "../atomic_file.hpp"

namespace locum::io {

std::string fingerprint_of(const std::filesystem::path& file)
{
  struct stat status = {};
  std::ifstream stream(file, std::ios::binary);
  if (::stat(file.c_str(), &status) != 0 || !stream) throw system_error("reading the data", file, errno);
  constexpr std::int64_t page = 4096, pages = 256;
  const std::int64_t size = status.st_size, last = std::max<std::int64_t>(0, size - page);
  std::string content;
  for (std::int64_t i = 0; i < pages && i * page <= size; ++i) {
    std::vector<char> bytes(page);
    stream.seekg(size <= pages * page ? i * page : last / (pages - 1) * i);
    stream.read(bytes.data(), page);
    content.append(bytes.data(), static_cast<std::size_t>(stream.gcount()));
    stream.clear();
  }
  const auto hash = XXH3_128bits(content.data(), content.size());
  return fmt::format("{} bytes, changed {}.{:09}, {:016x}{:016x}", size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                     hash.high64, hash.low64);
}

}  // namespace locum::io
