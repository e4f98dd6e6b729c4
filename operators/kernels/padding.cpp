#include "padding.hpp"

#include <algorithm>

#include "team.hpp"

namespace locum::operators::kernels {

template <class T>
void copy_to_grid(int threads, std::int64_t batch, std::int64_t channels, const std::vector<std::int64_t>& from_grid,
                  const T* from, const std::vector<std::int64_t>& to_grid, T* to)
{
  const std::int64_t from_row = from_grid.back() * channels, to_row = to_grid.back() * channels;
  std::int64_t rows = batch;
  for (std::size_t axis = 0; axis + 1 < to_grid.size(); ++axis) rows *= to_grid[axis];
  in_parallel(threads, [&](const Team& team) {
    const auto [first, last] = team.share(rows);
    for (std::int64_t row = first; row < last; ++row) {
      std::int64_t rest = row, place = 0, stride = 1;  // the row's number in `from`
      bool inside = true;
      for (std::size_t axis = to_grid.size() - 1; axis-- > 0;) {
        const std::int64_t at = rest % to_grid[axis];
        rest /= to_grid[axis];
        inside = inside && at < from_grid[axis];
        place += at * stride;
        stride *= from_grid[axis];
      }
      place += rest * stride;
      T* const end = to + (row + 1) * to_row;
      T* next = to + row * to_row;
      if (inside) next = std::copy_n(from + place * from_row, std::min(from_row, to_row), next);
      std::fill(next, end, T(0));
    }
  });
}

template void copy_to_grid(int, std::int64_t, std::int64_t, const std::vector<std::int64_t>&, const float*,
                           const std::vector<std::int64_t>&, float*);
template void copy_to_grid(int, std::int64_t, std::int64_t, const std::vector<std::int64_t>&, const double*,
                           const std::vector<std::int64_t>&, double*);

}  // namespace locum::operators::kernels
