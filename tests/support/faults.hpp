#pragma once
#include <cstdint>
#include <string>

// A disk that fails when told to: linked before libc, this library answers the system calls that change files.
// Preloaded into a program (LD_PRELOAD=liblocum_faults.so) it takes the fault from the environment:
//     LOCUM_FAULT="kill at byte 4096" or "fail at byte 4096", "kill at call 3", "fail at call 3"
// and LOCUM_FAULT_RANK, the one rank of an MPI job it happens to.
namespace locum::tests {

/// What goes wrong, and when. Bytes are counted over all writes to regular files, calls over all system calls that
/// change a file or a folder: write, fsync, rename, ftruncate, fallocate, unlink.
struct Fault {
  enum class Kind { none, kill, fail };
  Kind kind = Kind::none;
  std::int64_t byte = -1;  ///< When so many bytes are written: of the write in progress, the part before.
  std::int64_t call = -1;  ///< Instead of call number `call`, from 0.
  int error = 28;          ///< What a failing call says: ENOSPC. A disk that failed at a byte stays full.
  const char* only = "";   ///< Only calls of this name ("fsync", "rename", "flock", "open"); "" for all but
                           ///< flock and open.
};

/// From now on in this process.
void inject(const Fault& fault);

/// Bytes and calls since inject().
struct Activity {
  std::int64_t bytes = 0;
  std::int64_t calls = 0;
};
Activity activity();

/// While it lives, the fault is injected.
class Injected {
 public:
  explicit Injected(const Fault& fault) { inject(fault); }
  ~Injected() { inject({}); }
  Injected(const Injected&) = delete;
  Injected& operator=(const Injected&) = delete;
};

}  // namespace locum::tests
