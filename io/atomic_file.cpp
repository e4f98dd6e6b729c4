#include "atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <locum/core/handle.hpp>
#include <system_error>

namespace locum::io {

using Descriptor = Handle<int, -1, ::close>;

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

void publish(const std::filesystem::path& partial, const std::filesystem::path& file)
{
  const auto descriptor = open_or_throw("writing", partial, O_RDWR);
  if (::fsync(descriptor.get()) != 0) throw system_error("writing", file, errno);
  if (::rename(partial.c_str(), file.c_str()) != 0) throw system_error("writing", file, errno);
  flush_folder(file);
}

void reserve(const std::filesystem::path& file, std::size_t bytes)
{
  const auto descriptor = open_or_throw("reserving room on the disk", file, O_RDWR | O_CREAT);
  if (bytes == 0) return;
  if (::fallocate(descriptor.get(), 0, 0, static_cast<off_t>(bytes)) != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
    throw system_error(fmt::format("reserving {} bytes on the disk", bytes), file, errno);
}

/// All of `bytes`, whatever number the system takes at a time.
static void write_all(int descriptor, std::span<const std::byte> bytes, const std::filesystem::path& file)
{
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw system_error("writing", file, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void write_atomically(const std::filesystem::path& file, std::span<const std::byte> bytes)
{
  const std::filesystem::path partial = file.string() + ".partial";
  try {
    auto descriptor = open_or_throw("writing", partial, O_WRONLY | O_CREAT | O_TRUNC);
    write_all(descriptor.get(), bytes, file);
    if (::close(descriptor.give_up()) != 0) throw system_error("writing", file, errno);
    publish(partial, file);
  } catch (const SystemError&) {
    std::error_code ignored;  // the first failure is the one to report
    std::filesystem::remove(partial, ignored);
    throw;
  }
}

}  // namespace locum::io
