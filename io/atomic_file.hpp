#pragma once
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include <locum/core/error.hpp>
#include <locum/core/handle.hpp>

namespace locum::io {

using Descriptor = Handle<int, -1, ::close>;

/// Opens an existing file to be written in place.
/// @throws SystemError  with the system's reason.
Descriptor open_for_writing(const std::filesystem::path& file);

/// Writes all `bytes` from byte `at` of the file on. Ranks may write into one file at once, each its own bytes.
/// @param file  for messages
/// @throws SystemError  with the system's reason.
void write_at(const Descriptor& descriptor, std::span<const std::byte> bytes, std::size_t at,
              const std::filesystem::path& file);

/// Waits until what was written is on the disk.
/// @throws SystemError  with the system's reason.
void flush(const Descriptor& descriptor, const std::filesystem::path& file);

/// Replaces `file` by a new one holding `bytes`, or leaves it as it is: after a crash, a full disk or a power cut the
/// folder holds the old content or the new, never a part.
///
/// Writes "FILE.partial" in the same folder, flushes it to the disk, reads it back and compares, renames it and flushes
/// the folder: the old file is there until the new one is known to be whole. One process
/// may write a file at a time; readers need no lock. Not collective.
/// @throws SystemError  with the system's reason; the partial file is removed, an old file is untouched.
void write_atomically(const std::filesystem::path& file, std::span<const std::byte> bytes);

/// The second half of write_atomically(), for a file some library wrote: flushes `partial` to the disk, renames it to
/// `file` in the same folder and flushes the folder.
/// @throws SystemError  with the system's reason; `partial` is left.
void publish(const std::filesystem::path& partial, const std::filesystem::path& file);

/// Makes `file`, or empties it, of `bytes` zeros, with room for them on the disk: one that is too small shows now, not
/// after hours. Where the file system cannot set room aside, it has the size alone.
/// @throws SystemError  with the system's reason.
void reserve(const std::filesystem::path& file, std::size_t bytes);

/// What the system's `error` (errno) in the middle of `doing` something to `file` means to a user.
SystemError system_error(const std::string& doing, const std::filesystem::path& file, int error);

}  // namespace locum::io
