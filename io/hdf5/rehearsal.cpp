#include "rehearsal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <omp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

namespace locum::io::hdf5 {

namespace {

constexpr std::uintmax_t mebibyte = 1 << 20;

struct Limits {
  unsigned seconds;  // of computing
  unsigned patience;
  std::uintmax_t memory;
};

void limit(int resource, rlim_t most)
{
  rlimit limits;
  getrlimit(static_cast<__rlimit_resource>(resource), &limits);
  limits.rlim_cur = std::min(limits.rlim_cur, most);
  setrlimit(static_cast<__rlimit_resource>(resource), &limits);
}

/// Addresses that the process uses now.
std::uintmax_t address_space()
{
  std::uintmax_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::uintmax_t>(sysconf(_SC_PAGESIZE));
}

bool ran_out_of_memory(const Error& error)
{
  return error.report().found.find("memory allocation failed") != std::string::npos;  // HDF5's words
}

constexpr int short_of_memory = 3;  // sanitizers exit with 1

/// The child: silent, without the handlers of signals that this process has, and gone without its exit handlers, which
/// belong to the parent.
[[noreturn]] void perform(const std::function<void()>& work, const Limits& limits)
{
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int fault : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGXCPU, SIGALRM})
    std::signal(fault, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int silence = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(silence, STDOUT_FILENO);
  ::dup2(silence, STDERR_FILENO);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, limits.seconds);
  limit(RLIMIT_AS, address_space() + limits.memory);
  ::alarm(limits.patience);
  omp_set_num_threads(1);  // a parallel loop would wait for threads that are not here
  int result = 0;
  try {
    work();
  } catch (const Error& error) {
    if (ran_out_of_memory(error)) result = short_of_memory;
  } catch (const std::bad_alloc&) {
    result = short_of_memory;
  } catch (const c10::Error& error) {
    if (error.msg().find("allocate memory") != std::string::npos) result = short_of_memory;
  } catch (const std::exception&) {  // the parent will meet it as well, and say it
  }
  ::_exit(result);
}

std::string fault_of(int status, const Limits& limits)
{
  if (WIFEXITED(status) && WEXITSTATUS(status) != short_of_memory) return "ends the process that reads it";
  if (WIFEXITED(status)) return fmt::format("asks for more than {} MiB for it", limits.memory / mebibyte);
  const int signal = WTERMSIG(status);
  if (signal == SIGXCPU) return fmt::format("does not come to an end with it, after {} s of computing", limits.seconds);
  if (signal == SIGALRM) return fmt::format("does not come to an end with it, after {} s", limits.patience);
  return fmt::format("crashes on it, SIG{}", sigabbrev_np(signal));
}

}  // namespace

void rehearse(const Task& task, std::uintmax_t bytes, const std::function<void()>& work)
{
  const auto seconds = static_cast<unsigned>(std::min<std::uintmax_t>(5 + bytes / mebibyte, 100'000));
  const Limits limits{.seconds = seconds, .patience = 12 * seconds, .memory = 4096 * mebibyte + 4 * bytes};
  check(H5open(), task);  // built for MPI, HDF5 calls it when it starts: here, not in the child
  at::get_num_threads();  // libtorch sets the number of threads when it first asks for it
  const pid_t child = ::fork();
  if (child == 0) perform(work, limits);
  if (child < 0) return;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return;  // a program that ignores its children is not told how they ended
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  unsigned major, minor, release;
  H5get_libversion(&major, &minor, &release);
  throw DataError(
      {.doing = task.doing,
       .where = task.where,
       .found =
           fmt::format("a fault of HDF5 {}.{}.{} itself, which {}", major, minor, release, fault_of(status, limits)),
       .expected = "a file that HDF5 can read",
       .advice = fmt::format("`h5ls -r {0}`; if that lists it, `h5repack {0} COPY`; else a new copy from its source",
                             task.where)});
}

}  // namespace locum::io::hdf5
