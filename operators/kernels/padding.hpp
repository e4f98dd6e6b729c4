#pragma once
#include <cstdint>
#include <vector>

namespace locum::operators::kernels {

/// A field on a grid of other size: rows that both grids have are copied, what else `to` has is 0.
/// @param from  [batch, point of `from_grid`, channel]
/// @param to    [batch, point of `to_grid`, channel]
template <class T>
void copy_to_grid(int threads, std::int64_t batch, std::int64_t channels, const std::vector<std::int64_t>& from_grid,
                  const T* from, const std::vector<std::int64_t>& to_grid, T* to);

}  // namespace locum::operators::kernels
