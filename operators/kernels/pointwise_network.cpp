#include "pointwise_network.hpp"

#include <algorithm>
#include <vector>

#include "array.hpp"
#include "team.hpp"

namespace locum::operators::kernels {

static constexpr std::int64_t block = 32;  // points worked on at once: they stay in the first cache

template <class T>
void network_forward(const Instructions<T>& run, int threads, std::int64_t points, NetworkShape shape,
                     const NetworkArrays<const T>& weights, const T* x, T* y, T* before)
{
  const auto [I, H, O] = shape;
  const std::int64_t before_last = H > 0 ? H : I;
  Array<T> transposed(static_cast<std::size_t>(I * H + before_last * O));
  T* const hidden = transposed.data();
  T* const output = hidden + I * H;
  if (H > 0) run.transpose(H, I, weights.hidden, I, hidden, H);
  run.transpose(O, before_last, weights.output, before_last, output, O);

  Array<T> scratch(static_cast<std::size_t>(threads * block * H));
  in_parallel(threads, [&](const Team& team) {
    T* const h = scratch.data() + team.rank * block * H;
    const auto [first, last] = team.share(points, block);
    for (std::int64_t p = first; p < last; p += block) {
      const std::int64_t n = std::min(block, last - p);
      const T* active = x + p * I;
      if (H > 0) {
        T* const into = before ? before + p * H : h;
        run.multiply(n, H, I, active, I, 1, hidden, H, into, H, Start::row, weights.hidden_bias);
        run.gelu(n * H, into, h);
        active = h;
      }
      run.multiply(n, O, before_last, active, before_last, 1, output, O, y + p * O, O, Start::row, weights.output_bias);
    }
  });
}

template <class T>
void network_backward(const Instructions<T>& run, int threads, std::int64_t points, NetworkShape shape,
                      const NetworkArrays<const T>& weights, const T* x, const T* before, const T* d_y,
                      const NetworkArrays<T>& gradients, T* d_x)
{
  const auto [I, H, O] = shape;
  const std::int64_t before_last = H > 0 ? H : I;
  Array<T> transposed(static_cast<std::size_t>(I * H));
  T* const hidden = transposed.data();
  if (H > 0) run.transpose(H, I, weights.hidden, I, hidden, H);

  const std::int64_t sizes = H * I + H + O * before_last + O;
  Array<T> all_sums(static_cast<std::size_t>(threads * sizes)),
      scratch(static_cast<std::size_t>(threads * 3 * block * H));
  const auto sums_of = [&](int rank) {
    T* at = all_sums.data() + rank * sizes;
    return NetworkArrays<T>{.hidden = at,
                            .hidden_bias = at + H * I,
                            .output = at + H * I + H,
                            .output_bias = at + H * I + H + O * before_last};
  };
  in_parallel(threads, [&](const Team& team) {
    T* const h = scratch.data() + team.rank * 3 * block * H;
    T *const slope = h + block * H, *const d_h = slope + block * H;
    const NetworkArrays<T> sum = sums_of(team.rank);
    const auto [first, last] = team.share(points, block);
    for (std::int64_t p = first; p < last; p += block) {
      const std::int64_t n = std::min(block, last - p);
      const T *in = x + p * I, *d_out = d_y + p * O;
      if (H > 0) {
        if (!before) run.multiply(n, H, I, in, I, 1, hidden, H, d_h, H, Start::row, weights.hidden_bias);
        run.gelu_slope(n * H, before ? before + p * H : d_h, h, slope);
      }
      run.add_column_sums(n, O, d_out, sum.output_bias);
      run.multiply(O, before_last, n, d_out, 1, O, H > 0 ? h : in, before_last, sum.output, before_last, Start::add,
                   nullptr);
      if (H == 0) {
        if (d_x) run.multiply(n, I, O, d_out, O, 1, weights.output, I, d_x + p * I, I, Start::zero, nullptr);
        continue;
      }
      run.multiply(n, H, O, d_out, O, 1, weights.output, H, d_h, H, Start::zero, nullptr);
      run.scale(n * H, slope, d_h);
      run.add_column_sums(n, H, d_h, sum.hidden_bias);
      run.multiply(I, H, n, in, 1, I, d_h, H, sum.hidden, H, Start::add, nullptr);  // transposed: inputs may be few
      if (d_x) run.multiply(n, I, H, d_h, H, 1, weights.hidden, I, d_x + p * I, I, Start::zero, nullptr);
    }
  });
  for (int rank = 1; rank < threads; ++rank) run.add(sizes, sums_of(rank).hidden, sums_of(0).hidden);
  const auto copy = [&](T* NetworkArrays<T>::*array, std::int64_t count) {
    if (gradients.*array) std::copy_n(sums_of(0).*array, count, gradients.*array);
  };
  if (gradients.hidden) run.transpose(I, H, sums_of(0).hidden, H, gradients.hidden, I);
  copy(&NetworkArrays<T>::hidden_bias, H);
  copy(&NetworkArrays<T>::output, O * before_last);
  copy(&NetworkArrays<T>::output_bias, O);
}

#define LOCUM_INSTANTIATE(T)                                                                                           \
  template void network_forward(const Instructions<T>&, int, std::int64_t, NetworkShape,                               \
                                const NetworkArrays<const T>&, const T*, T*, T*);                                      \
  template void network_backward(const Instructions<T>&, int, std::int64_t, NetworkShape,                              \
                                 const NetworkArrays<const T>&, const T*, const T*, const T*, const NetworkArrays<T>&, \
                                 T*);
LOCUM_INSTANTIATE(float)
LOCUM_INSTANTIATE(double)
#undef LOCUM_INSTANTIATE

}  // namespace locum::operators::kernels
