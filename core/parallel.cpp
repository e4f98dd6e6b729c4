#include "parallel.hpp"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <vector>

namespace locum {

void parallel_for(std::int64_t first, std::int64_t last, std::int64_t least,
                  const std::function<void(std::int64_t from, std::int64_t to)>& work)
{
  if (last <= first) return;
  const std::int64_t count = last - first;
  const auto parts = std::clamp<std::int64_t>(count / std::max<std::int64_t>(least, 1), 1, omp_get_max_threads());
  if (parts == 1 || omp_in_parallel()) return work(first, last);
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(parts));
#pragma omp parallel for num_threads(static_cast <int>(parts)) schedule(static, 1)
  for (std::int64_t part = 0; part < parts; ++part) try {
      work(first + count * part / parts, first + count * (part + 1) / parts);
    } catch (...) {
      failures[static_cast<std::size_t>(part)] = std::current_exception();
    }
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

}  // namespace locum
