#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../atomic_file.hpp"

namespace locum::io {

/// Writes numbers for TensorBoard (`tensorboard --logdir runs`): the file events.out.tfevents.locum in a folder.
///
/// The file is a row of records, each its length (uint64), the masked CRC-32C of the length (uint32), the bytes of an
/// `Event` (tensorflow/core/util/event.proto) and their masked CRC-32C, all little-endian; each is a single write. A
/// number is a `simple_value` of float32. Not collective: one rank writes.
class TensorBoardLog {
 public:
  /// Opens the file, keeping what an earlier run wrote; a torn record at its end is cut off.
  /// @throws SystemError  if the file cannot be opened.
  explicit TensorBoardLog(const std::filesystem::path& folder);

  /// Adds numbers by name at step `step`; those that are not finite are left out.
  /// @throws SystemError  if they could not be written whole: disk full, quota.
  void append(std::int64_t step, const std::vector<std::pair<std::string, double>>& numbers);

 private:
  void write(const std::string& event);

  std::filesystem::path path_;
  Descriptor file_;
};

/// CRC-32C (Castagnoli; RFC 3720, sec. B.4) of some bytes.
std::uint32_t crc32c(std::span<const std::byte> bytes);
/// The same as records hold it, rotated and added to.
std::uint32_t masked_crc32c(std::span<const std::byte> bytes);

}  // namespace locum::io
