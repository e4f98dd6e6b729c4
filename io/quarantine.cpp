#include "quarantine.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include "atomic_file.hpp"

namespace locum::io {

/// In the copy: less of everything.
static void limit_resources(std::chrono::seconds limit)
{
  constexpr rlim_t more_memory = rlim_t{4} << 30;
  rlim_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlim_t memory = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + more_memory;
  const rlimit address_space{.rlim_cur = memory, .rlim_max = memory}, no_core{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_AS, &address_space);
  ::setrlimit(RLIMIT_CORE, &no_core);
  for (const int signal : {SIGALRM, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) std::signal(signal, SIG_DFL);
  ::alarm(static_cast<unsigned>(limit.count()));
}

void in_quarantine(const std::filesystem::path& file, const std::function<void()>& look, std::chrono::seconds limit)
{
  const pid_t copy = ::fork();
  if (copy < 0) throw system_error("starting a process to look at the file in", file, errno);
  if (copy == 0) {
    limit_resources(limit);
    try {
      look();
    } catch (const std::exception&) {
      // An error is an answer; this process only has to survive it.
    }
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(copy, &status, 0) < 0)
    if (errno != EINTR) throw system_error("waiting for the process that looks at the file", file, errno);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  throw DataError(
      {.doing = "looking at the file",
       .where = file.string(),
       .found = signal == SIGALRM
                    ? fmt::format("content that HDF5 is not done with after {} s", limit.count())
                    : fmt::format("content that HDF5 crashes on ({})", signal ? ::strsignal(signal) : "abnormal end"),
       .expected = "a valid HDF5 file",
       .advice = "no further use of it: it is badly damaged, or made to do harm"});
}

}  // namespace locum::io
