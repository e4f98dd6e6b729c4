#include "atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

namespace locum::io {

static std::filesystem::path folder_of(const std::filesystem::path& file)
{
  return file.has_parent_path() ? file.parent_path() : ".";
}

SystemError system_error(const std::string& doing, const std::filesystem::path& file, int error)
{
  const std::string folder = folder_of(file).string();
  std::string advice = "another folder";
  if (error == ENOENT) advice = fmt::format("`mkdir -p {}`", folder);
  if (error == EACCES || error == EPERM || error == EROFS)
    advice = fmt::format("`ls -ld {}`: a folder of yours", folder);
  if (error == ENOSPC || error == EDQUOT)
    advice = fmt::format("`df -h {}`: make room, or use another disk; what was there before is as it was", folder);
  return SystemError({.doing = doing,
                      .where = file.string(),
                      .found = std::generic_category().message(error),
                      .expected = "a file that can be written",
                      .advice = advice});
}

static Descriptor open_or_throw(const std::string& doing, const std::filesystem::path& path, int flags)
{
  Descriptor descriptor(::open(path.c_str(), flags | O_CLOEXEC, 0666));
  if (!descriptor) throw system_error(doing, path, errno);
  return descriptor;
}

static void flush_folder(const std::filesystem::path& file)
{
  const auto folder = open_or_throw("flushing the folder", folder_of(file), O_RDONLY | O_DIRECTORY);
  // Some network file systems cannot flush folders, and say EINVAL; there the rename is all one can do.
  if (::fsync(folder.get()) != 0 && errno != EINVAL) throw system_error("flushing the folder", file, errno);
}

void flush(const Descriptor& descriptor, const std::filesystem::path& file)
{
  if (::fsync(descriptor.get()) != 0) throw system_error("writing", file, errno);
}

static void rename_to(const std::filesystem::path& partial, const std::filesystem::path& file)
{
  if (::rename(partial.c_str(), file.c_str()) != 0) throw system_error("writing", file, errno);
  flush_folder(file);
}

void publish(const std::filesystem::path& partial, const std::filesystem::path& file)
{
  flush(open_for_writing(partial), file);
  rename_to(partial, file);
}

void reserve(const std::filesystem::path& file, std::size_t bytes)
{
  const std::string doing = fmt::format("reserving {} bytes on the disk", bytes);
  const auto descriptor = open_or_throw(doing, file, O_RDWR | O_CREAT | O_TRUNC);
  const auto size = static_cast<off_t>(bytes);
  if (bytes > 0 && ::fallocate(descriptor.get(), 0, 0, size) != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
    throw system_error(doing, file, errno);
  if (::ftruncate(descriptor.get(), size) != 0) throw system_error(doing, file, errno);
}

Descriptor open_for_writing(const std::filesystem::path& file) { return open_or_throw("writing", file, O_RDWR); }

void write_at(const Descriptor& descriptor, std::span<const std::byte> bytes, std::size_t at,
              const std::filesystem::path& file)
{
  while (!bytes.empty()) {  // the system may take fewer than it is given
    const auto written = ::pwrite(descriptor.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw system_error("writing", file, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    at += static_cast<std::size_t>(written);
  }
}

/// Reads back what was flushed, from the disk as far as the system lets go of its own copy.
static void compare(const Descriptor& descriptor, std::span<const std::byte> bytes, const std::filesystem::path& file)
{
  ::posix_fadvise(descriptor.get(), 0, 0, POSIX_FADV_DONTNEED);
  std::vector<std::byte> block(std::min<std::size_t>(bytes.size(), 1 << 20));
  for (std::size_t done = 0; done < bytes.size();) {
    const auto count = ::pread(descriptor.get(), block.data(), block.size(), static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_error("reading back", file, errno);
    const auto size = static_cast<std::size_t>(count);
    if (size == 0 || !std::equal(block.begin(), block.begin() + count, bytes.begin() + static_cast<off_t>(done)))
      throw SystemError({.doing = "writing",
                         .where = file.string(),
                         .found = fmt::format("other bytes than were written, within {} from byte {} on", size, done),
                         .expected = "a disk that keeps what it is given",
                         .advice = "another disk; what was there before is as it was"});
    done += size;
  }
}

void write_atomically(const std::filesystem::path& file, std::span<const std::byte> bytes)
{
  const std::filesystem::path partial = file.string() + ".partial";
  try {
    auto descriptor = open_or_throw("writing", partial, O_RDWR | O_CREAT | O_TRUNC);
    write_at(descriptor, bytes, 0, file);
    flush(descriptor, file);
    compare(descriptor, bytes, file);
    if (::close(descriptor.give_up()) != 0) throw system_error("writing", file, errno);
    rename_to(partial, file);
  } catch (const SystemError&) {
    std::error_code ignored;  // the first failure is the one to report
    std::filesystem::remove(partial, ignored);
    throw;
  }
}

}  // namespace locum::io
