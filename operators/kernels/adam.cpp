#include "adam.hpp"

#include <algorithm>

#include "team.hpp"

namespace locum::operators::kernels {

template <class T>
void adam_step(const Instructions<T>& run, int threads, const AdamStep& step, const std::vector<AdamArrays<T>>& all)
{
  std::int64_t total = 0;
  for (const auto& p : all) total += p.count;
  if (total == 0) return;
  in_parallel(threads, [&](const Team& team) {
    const auto [begin, end] = team.share(total, 64);
    std::int64_t offset = 0;
    for (const auto& p : all) {
      const std::int64_t first = std::max<std::int64_t>(begin - offset, 0), last = std::min(end - offset, p.count);
      if (first < last)
        run.adam(last - first, step, p.gradient + first, p.parameter + first, p.first_moment + first,
                 p.second_moment + first);
      offset += p.count;
    }
  });
}

template void adam_step(const Instructions<float>&, int, const AdamStep&, const std::vector<AdamArrays<float>>&);
template void adam_step(const Instructions<double>&, int, const AdamStep&, const std::vector<AdamArrays<double>>&);

}  // namespace locum::operators::kernels
