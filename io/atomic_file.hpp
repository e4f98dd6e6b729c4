#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include <locum/core/error.hpp>

namespace locum::io {

/// Replaces `file` by a new one holding `bytes`, or leaves it as it is: after a crash, a full disk or a power cut the
/// folder holds the old content or the new, never a part.
///
/// Writes "FILE.partial" in the same folder, flushes it to the disk, renames it and flushes the folder. One process
/// may write a file at a time; readers need no lock. Not collective.
/// @throws SystemError  with the system's reason; the partial file is removed, an old file is untouched.
void write_atomically(const std::filesystem::path& file, std::span<const std::byte> bytes);

/// The second half of write_atomically(), for a file some library wrote: flushes `partial` to the disk, renames it to
/// `file` in the same folder and flushes the folder.
/// @throws SystemError  with the system's reason; `partial` is left.
void publish(const std::filesystem::path& partial, const std::filesystem::path& file);

/// Sets room aside for the first `bytes` bytes of `file`, which is made if there is none and grows if it is shorter:
/// a disk that is too small shows now, not after hours. Does nothing where the file system cannot do so.
/// @throws SystemError  with the system's reason.
void reserve(const std::filesystem::path& file, std::size_t bytes);

/// What the system's `error` (errno) in the middle of `doing` something to `file` means to a user.
SystemError system_error(const std::string& doing, const std::filesystem::path& file, int error);

}  // namespace locum::io
