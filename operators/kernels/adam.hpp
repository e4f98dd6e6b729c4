#pragma once
#include <vector>

#include "instructions.hpp"

namespace locum::operators::kernels {

/// One parameter and what belongs to it, `count` numbers each.
template <class T>
struct AdamArrays {
  std::int64_t count;
  const T* gradient;
  T* parameter;
  T* first_moment;
  T* second_moment;
};

/// One step of all parameters, cut into equal parts for the threads. The same bits for any number of threads.
template <class T>
void adam_step(const Instructions<T>& run, int threads, const AdamStep& step, const std::vector<AdamArrays<T>>& all);

}  // namespace locum::operators::kernels
