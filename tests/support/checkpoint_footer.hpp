#pragma once
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace locum::tests {

/// `image` with the footer of a checkpoint: the hash is right, whatever it covers.
inline std::vector<std::byte> with_footer(std::span<const std::byte> image, std::uint32_t version = 1)
{
  std::vector<std::byte> bytes(image.begin(), image.end());
  const auto append = [&](const void* data, std::size_t size) {
    const auto* raw = static_cast<const std::byte*>(data);
    bytes.insert(bytes.end(), raw, raw + size);
  };
  const std::uint64_t length = image.size();
  append("LOCUMCKP", 8);
  append(&version, 4);
  append(&length, 8);
  XXH128_canonical_t hash;
  XXH128_canonicalFromHash(&hash, XXH3_128bits(bytes.data(), bytes.size()));
  append(hash.digest, 16);
  return bytes;
}

}  // namespace locum::tests
