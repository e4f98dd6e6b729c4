#include "faults.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace locum::tests {

namespace {

Fault fault;
std::atomic<std::int64_t> bytes = 0, calls = 0;

/// The system's own function behind the one of the same name here.
template <class Function>
Function* real(const char* name)
{
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// Kills the process, or tells the caller of a system call that it failed.
int strike()
{
  if (fault.kind == Fault::Kind::kill) kill(getpid(), SIGKILL);
  errno = fault.error;
  return -1;
}

/// Whether the fault happens to this call.
bool is_struck(const char* name)
{
  if (fault.kind == Fault::Kind::none || (*fault.only && std::strcmp(fault.only, name) != 0)) return false;
  return calls++ == fault.call;
}

constexpr const char* memory = "/dev/shm";  // files there are memory by another word

/// A file on a disk.
bool is_on_disk(int descriptor)
{
  struct stat status, of_memory;
  return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
         (stat(memory, &of_memory) != 0 || status.st_dev != of_memory.st_dev);
}

/// Does as much of a write as comes before the fault. `write_part(n)`
/// writes the first n bytes.
template <class WritePart>
ssize_t write_some(const char* name, int descriptor, std::size_t size, WritePart&& write_part)
{
  if (fault.kind == Fault::Kind::none || !is_on_disk(descriptor)) return write_part(size);
  if (is_struck(name)) return strike();
  const auto room = fault.byte < 0 ? static_cast<std::int64_t>(size) : fault.byte - bytes;
  if (room >= static_cast<std::int64_t>(size) &&
      (fault.byte < 0 || bytes + static_cast<std::int64_t>(size) < fault.byte)) {
    bytes += static_cast<std::int64_t>(size);
    return write_part(size);
  }
  const ssize_t written = room > 0 ? write_part(static_cast<std::size_t>(room)) : 0;
  bytes += std::max<ssize_t>(written, 0);
  if (written > 0 && fault.kind == Fault::Kind::fail) return written;  // as a full disk: what fits, and then the error
  return strike();
}

std::size_t size_of(const iovec* parts, int count)
{
  std::size_t size = 0;
  for (int i = 0; i < count; ++i) size += parts[i].iov_len;
  return size;
}

/// The first `size` bytes of scattered parts, one call a part.
template <class Write>
ssize_t write_parts(const iovec* parts, int count, std::size_t size, Write&& write)
{
  ssize_t written = 0;
  for (int i = 0; i < count && size > 0; ++i) {
    const auto now = std::min(size, parts[i].iov_len);
    const ssize_t done = write(parts[i].iov_base, now, written);
    if (done < 0) return written > 0 ? written : done;
    written += done;
    size -= static_cast<std::size_t>(done);
    if (static_cast<std::size_t>(done) < now) break;
  }
  return written;
}

/// The fault the environment asks for.
[[gnu::constructor]] void inject_from_environment()
{
  const char* text = std::getenv("LOCUM_FAULT");
  if (!text) return;
  const char* chosen = std::getenv("LOCUM_FAULT_RANK");
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  if (chosen && (!rank || std::strcmp(chosen, rank) != 0)) return;
  char kind[8] = "", unit[8] = "";
  long number = 0;
  if (std::sscanf(text, "%7s at %7s %ld", kind, unit, &number) != 3) {
    std::fprintf(stderr, "LOCUM_FAULT=\"%s\": expected \"kill at byte 4096\" or the like\n", text);
    std::abort();
  }
  fault.kind = std::strcmp(kind, "kill") == 0 ? Fault::Kind::kill : Fault::Kind::fail;
  (std::strcmp(unit, "byte") == 0 ? fault.byte : fault.call) = number;
}

}  // namespace

void inject(const Fault& next)
{
  fault = next;
  bytes = 0;
  calls = 0;
}

Activity activity() { return {.bytes = bytes, .calls = calls}; }

}  // namespace locum::tests

using namespace locum::tests;

extern "C" {

ssize_t write(int descriptor, const void* data, size_t size)
{
  static const auto next = real<ssize_t(int, const void*, size_t)>("write");
  return write_some("write", descriptor, size, [&](std::size_t some) { return next(descriptor, data, some); });
}

ssize_t pwrite64(int descriptor, const void* data, size_t size, off64_t at)
{
  static const auto next = real<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return write_some("write", descriptor, size, [&](std::size_t some) { return next(descriptor, data, some, at); });
}

ssize_t pwrite(int descriptor, const void* data, size_t size, off_t at) { return pwrite64(descriptor, data, size, at); }

ssize_t writev(int descriptor, const iovec* parts, int count)
{
  static const auto next = real<ssize_t(int, const void*, size_t)>("write");
  return write_some("write", descriptor, size_of(parts, count), [&](std::size_t some) {
    return write_parts(parts, count, some,
                       [&](const void* data, std::size_t size, ssize_t) { return next(descriptor, data, size); });
  });
}

ssize_t pwritev64(int descriptor, const iovec* parts, int count, off64_t at)
{
  static const auto next = real<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return write_some("write", descriptor, size_of(parts, count), [&](std::size_t some) {
    return write_parts(parts, count, some, [&](const void* data, std::size_t size, ssize_t done) {
      return next(descriptor, data, size, at + done);
    });
  });
}

ssize_t pwritev(int descriptor, const iovec* parts, int count, off_t at)
{
  return pwritev64(descriptor, parts, count, at);
}

int open64(const char* file, int flags, ...)
{
  static const auto next = real<int(const char*, int, ...)>("open64");
  // Opening changes no file: only if asked for.
  const bool on_disk = std::strncmp(file, memory, std::strlen(memory)) != 0;
  if (on_disk && std::strcmp(fault.only, "open") == 0 && is_struck("open")) return strike();
  va_list more;
  va_start(more, flags);
  const auto mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return next(file, flags, mode);
}

int open(const char* file, int flags, ...)
{
  va_list more;
  va_start(more, flags);
  const auto mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open64(file, flags, mode);
}

int fsync(int descriptor)
{
  static const auto next = real<int(int)>("fsync");
  return is_struck("fsync") ? strike() : next(descriptor);
}

int rename(const char* from, const char* to) noexcept
{
  static const auto next = real<int(const char*, const char*)>("rename");
  return is_struck("rename") ? strike() : next(from, to);
}

int ftruncate64(int descriptor, off64_t size) noexcept
{
  static const auto next = real<int(int, off64_t)>("ftruncate64");
  return is_on_disk(descriptor) && is_struck("ftruncate") ? strike() : next(descriptor, size);
}

int ftruncate(int descriptor, off_t size) noexcept { return ftruncate64(descriptor, size); }

int fallocate64(int descriptor, int mode, off64_t at, off64_t size)
{
  static const auto next = real<int(int, int, off64_t, off64_t)>("fallocate64");
  return is_on_disk(descriptor) && is_struck("fallocate") ? strike() : next(descriptor, mode, at, size);
}

int fallocate(int descriptor, int mode, off_t at, off_t size) { return fallocate64(descriptor, mode, at, size); }

int unlinkat(int folder, const char* name, int flags) noexcept
{
  static const auto next = real<int(int, const char*, int)>("unlinkat");
  return is_struck("unlink") ? strike() : next(folder, name, flags);
}

int flock(int descriptor, int operation) noexcept
{
  static const auto next = real<int(int, int)>("flock");
  return std::strcmp(fault.only, "flock") == 0 && is_struck("flock") ? strike() : next(descriptor, operation);
}

}  // extern "C"
