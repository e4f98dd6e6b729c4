#pragma once
#include <cstdint>

namespace locum::solvers {

/// Calls body(0) … body(tasks−1): shared by the threads of the OpenMP team, all of which call this and leave it
/// together, or all by the caller. (A team of one would do, but for a system call at every barrier.)
template <class Body>
void share(bool with_team, std::int64_t tasks, const Body& body)
{
  if (!with_team) {
    for (std::int64_t task = 0; task < tasks; ++task) body(task);
    return;
  }
#pragma omp for schedule(static)
  for (std::int64_t task = 0; task < tasks; ++task) body(task);
}

}  // namespace locum::solvers
