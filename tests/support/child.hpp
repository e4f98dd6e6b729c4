#pragma once
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace locum::tests {

/// How a process ended: with a code of its own, or by a signal.
struct Ending {
  int code = -1;
  int signal = 0;
};

/// Runs `work` in a copy of this process, which ends with code 0, or 1 if `work` throws. What it changes in memory is
/// lost, what it writes stays.
template <class Work>
Ending in_a_child(Work&& work)
{
  const pid_t child = fork();
  if (child == 0) {
    try {
      work();
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return {.code = -1, .signal = WTERMSIG(status)};
  return {.code = WEXITSTATUS(status), .signal = 0};
}

}  // namespace locum::tests
