#include "pointwise_network.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "array.hpp"
#include "team.hpp"

namespace locum::operators::kernels {

static constexpr std::int64_t block = 32;  // points worked on at once: they stay in the first cache

namespace {

/// Rows of points that lie one after the other in input and output.
class Rows {
 public:
  explicit Rows(const NetworkPoints& points)
      : batch_(points.batch), grid_(points.grid), x_grid_(points.x_grid), y_grid_(points.y_grid)
  {
    if (grid_ == x_grid_ && grid_ == y_grid_) {  // all of them do
      grid_ = {std::exchange(batch_, 1) * grid_.back() * rows_of(grid_)};
      x_grid_ = y_grid_ = grid_;
    }
    length_ = grid_.back();
    rows_ = batch_ * rows_of(grid_);
  }

  /// Calls body(p, x_point, y_point, n) for this thread's share of blocks of n points: their first one's number among
  /// all, in the input and in the output.
  template <class Body>
  void in_blocks(const Team& team, Body&& body) const
  {
    const std::int64_t blocks = (length_ + block - 1) / block;
    const auto [first, last] = team.share(rows_ * blocks);
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t row = i / blocks, at = i % blocks * block;
      body(row * length_ + at, place(x_grid_, row) + at, place(y_grid_, row) + at, std::min(block, length_ - at));
    }
  }

  /// Zeros at what y_grid, or x_grid, has beyond the points. By all threads of a team.
  template <class T>
  void clear_beyond_y(const Team& team, std::int64_t channels, T* y) const
  {
    clear(team, y_grid_, channels, y);
  }
  template <class T>
  void clear_beyond_x(const Team& team, std::int64_t channels, T* x) const
  {
    clear(team, x_grid_, channels, x);
  }

 private:
  /// The point of `larger` with which row number `row` of the points begins.
  std::int64_t place(const std::vector<std::int64_t>& larger, std::int64_t row) const
  {
    std::int64_t point = 0, stride = larger.back();
    for (std::size_t axis = grid_.size() - 1; axis-- > 0;) {
      point += row % grid_[axis] * stride;
      row /= grid_[axis];
      stride *= larger[axis];
    }
    return point + row * stride;
  }

  template <class T>
  void clear(const Team& team, const std::vector<std::int64_t>& larger, std::int64_t channels, T* values) const
  {
    if (larger == grid_) return;
    const auto [first, last] = team.share(batch_ * rows_of(larger));
    for (std::int64_t row = first; row < last; ++row) {
      bool inside = true;
      std::int64_t rest = row;
      for (std::size_t axis = larger.size() - 1; axis-- > 0; rest /= larger[axis])
        inside = inside && rest % larger[axis] < grid_[axis];
      T* const begin = values + row * larger.back() * channels;
      std::fill(begin + (inside ? length_ * channels : 0), begin + larger.back() * channels, T(0));
    }
  }

  static std::int64_t rows_of(const std::vector<std::int64_t>& grid)
  {
    std::int64_t rows = 1;
    for (std::size_t axis = 0; axis + 1 < grid.size(); ++axis) rows *= grid[axis];
    return rows;
  }

  std::int64_t batch_;
  std::vector<std::int64_t> grid_, x_grid_, y_grid_;
  std::int64_t rows_, length_;
};

}  // namespace

template <class T>
void network_forward(const Instructions<T>& run, int threads, const NetworkPoints& points, NetworkShape shape,
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
  const Rows rows(points);
  in_parallel(threads, [&](const Team& team) {
    T* const h = scratch.data() + team.rank * block * H;
    rows.in_blocks(team, [&](std::int64_t p, std::int64_t x_point, std::int64_t y_point, std::int64_t n) {
      const T* active = x + x_point * I;
      if (H > 0) {
        T* const into = before ? before + p * H : h;
        run.multiply(n, H, I, active, I, 1, hidden, H, into, H, Start::row, weights.hidden_bias);
        run.gelu(n * H, into, h);
        active = h;
      }
      run.multiply(n, O, before_last, active, before_last, 1, output, O, y + y_point * O, O, Start::row,
                   weights.output_bias);
    });
    rows.clear_beyond_y(team, O, y);
  });
}

template <class T>
void network_backward(const Instructions<T>& run, int threads, const NetworkPoints& points, NetworkShape shape,
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
  const Rows rows(points);
  in_parallel(threads, [&](const Team& team) {
    T* const h = scratch.data() + team.rank * 3 * block * H;
    T *const slope = h + block * H, *const d_h = slope + block * H;
    const NetworkArrays<T> sum = sums_of(team.rank);
    rows.in_blocks(team, [&](std::int64_t p, std::int64_t x_point, std::int64_t y_point, std::int64_t n) {
      const T *in = x + x_point * I, *d_out = d_y + y_point * O;
      T* const d_in = d_x ? d_x + x_point * I : nullptr;
      if (H > 0) {
        if (!before) run.multiply(n, H, I, in, I, 1, hidden, H, d_h, H, Start::row, weights.hidden_bias);
        run.gelu_slope(n * H, before ? before + p * H : d_h, h, slope);
      }
      run.add_column_sums(n, O, d_out, sum.output_bias);
      run.multiply(O, before_last, n, d_out, 1, O, H > 0 ? h : in, before_last, sum.output, before_last, Start::add,
                   nullptr);
      if (H == 0) {
        if (d_in) run.multiply(n, I, O, d_out, O, 1, weights.output, I, d_in, I, Start::zero, nullptr);
        return;
      }
      run.multiply(n, H, O, d_out, O, 1, weights.output, H, d_h, H, Start::zero, nullptr);
      run.scale(n * H, slope, d_h);
      run.add_column_sums(n, H, d_h, sum.hidden_bias);
      run.multiply(I, H, n, in, 1, I, d_h, H, sum.hidden, H, Start::add, nullptr);  // transposed: inputs may be few
      if (d_in) run.multiply(n, I, H, d_h, H, 1, weights.hidden, I, d_in, I, Start::zero, nullptr);
    });
    if (d_x) rows.clear_beyond_x(team, I, d_x);
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
  template void network_forward(const Instructions<T>&, int, const NetworkPoints&, NetworkShape,                       \
                                const NetworkArrays<const T>&, const T*, T*, T*);                                      \
  template void network_backward(const Instructions<T>&, int, const NetworkPoints&, NetworkShape,                      \
                                 const NetworkArrays<const T>&, const T*, const T*, const T*, const NetworkArrays<T>&, \
                                 T*);
LOCUM_INSTANTIATE(float)
LOCUM_INSTANTIATE(double)
#undef LOCUM_INSTANTIATE

}  // namespace locum::operators::kernels
