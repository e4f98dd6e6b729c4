#pragma once
#include <cstdint>
#include <functional>

namespace locum {

/// Shares first … last−1 among the threads that libtorch has: work(from, to) for a part each, none smaller than `least`
/// but the last. What a thread throws is thrown when all are done, the first of them. (at::parallel_for does this only
/// in files that are compiled for OpenMP, which cannot share a precompiled header with others.)
void parallel_for(std::int64_t first, std::int64_t last, std::int64_t least,
                  const std::function<void(std::int64_t from, std::int64_t to)>& work);

}  // namespace locum
