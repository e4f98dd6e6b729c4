#pragma once
#include <omp.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include <cstdint>
#include <utility>

namespace locum::operators::kernels {

/// The threads that work on one kernel together, seen from one of them.
struct Team {
  int rank;
  int size;

  /// Waits for the others: what they wrote can be read afterwards.
  void barrier() const {
#pragma omp barrier
  }

  /// This thread's part of 0 … count − 1, as first and one past the last; multiples of `unit` but for the end.
  std::pair<std::int64_t, std::int64_t> share(std::int64_t count, std::int64_t unit = 1) const
  {
    const std::int64_t units = (count + unit - 1) / unit;
    const auto at = [&](int r) { return units * r / size * unit; };
    return {at(rank), rank + 1 == size ? count : at(rank + 1)};
  }
};

/// Treats numbers too small for full precision as 0 while it lives, in this thread: they are 100 times slower.
class FlushDenormals {
#if defined(__SSE__)
 public:
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040u); }  // flush results, and operands
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#else
 public:
  FlushDenormals() {}
#endif
};

/// Runs body(team) in `threads` threads. They are OpenMP's, those libtorch uses too. `body` must not throw.
template <class Body>
void in_parallel(int threads, Body&& body)
{
#pragma omp parallel num_threads(threads)
  {
    const FlushDenormals flush;
    body(Team{omp_get_thread_num(), omp_get_num_threads()});
  }
}

}  // namespace locum::operators::kernels
