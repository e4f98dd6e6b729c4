// The readers try out HDF5 in a child process (io/hdf5/rehearsal.hpp). What the sanitizer reports there of HDF5 itself
// ends the child, as a crash would; what it reports of our code is a finding, as in the fuzzer's own process.
#include <dlfcn.h>
#include <execinfo.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

static const pid_t fuzzer = getpid();
static const int screen = dup(STDERR_FILENO);

/// The sanitizer calls it before it reports.
extern "C" [[gnu::no_sanitize_coverage]] void __asan_on_error()
{
  if (getpid() == fuzzer) return;
  void* frames[64];
  const int count = backtrace(frames, 64);
  for (int i = 1; i < count; ++i) {  // the first is this function
    Dl_info where;
    if (dladdr(frames[i], &where) == 0) break;
    if (std::strstr(where.dli_fname, "libhdf5")) std::abort();
    if (!std::strstr(where.dli_fname, "libasan") && !std::strstr(where.dli_fname, "libc.so")) break;
  }
  dup2(screen, STDERR_FILENO);
}
