#include "mixing.hpp"

#include <algorithm>

#include "sweep.hpp"

namespace locum::operators::kernels {

template <class T>
Mixing<T>::Mixing(const Transform<T>& transform, int threads, std::int64_t batch, std::int64_t input_channels,
                  std::int64_t output_channels)
    : transform_(transform), batch_(batch), inputs_(input_channels), outputs_(output_channels)
{
  const std::int64_t size = 2 * batch * (2 * inputs_ + outputs_) + 2 * batch * 2 * inputs_ + 2 * inputs_ * outputs_;
  scratch_.assign(static_cast<std::size_t>(threads), Array<T>(static_cast<std::size_t>(size)));
}

template <class T>
void Mixing<T>::forward(const Instructions<T>& run, const Team& team, const T* R, const T* bias, const T* x, T* y)
{
  const std::int64_t depth = 2 * inputs_, modes = transform_.modes();
  T* packed = scratch_[static_cast<std::size_t>(team.rank)].data();
  const auto [first, last] = team.share(modes);
  for (std::int64_t m = first; m < last; ++m) {
    run.pack_mode(batch_, inputs_, transform_.weight(m), x + transform_.place(m) * 2 * inputs_, modes * 2 * inputs_,
                  packed);
    for (const std::int64_t part : {0, 1}) {
      const Start start = bias && part == 0 && m == transform_.zero_mode() ? Start::row : Start::zero;
      run.multiply(batch_, outputs_, depth, packed + part * batch_ * depth, depth, 1, R + m * depth * outputs_,
                   outputs_, y + transform_.place(m) * 2 * outputs_ + part * outputs_, modes * 2 * outputs_, start,
                   bias);
    }
  }
}

template <class T>
void Mixing<T>::backward(const Instructions<T>& run, const Team& team, const T* R, const T* x, const T* dy, T* dR,
                         T* dx)
{
  const std::int64_t rows = 2 * batch_, depth = 2 * inputs_, modes = transform_.modes();
  T* packed = scratch_[static_cast<std::size_t>(team.rank)].data();
  T* mixed = packed + rows * depth;
  T* unmixed = mixed + rows * outputs_;
  T* transposed = unmixed + rows * depth;
  const auto [first, last] = team.share(modes);
  for (std::int64_t m = first; m < last; ++m) {
    for (std::int64_t b = 0; b < batch_; ++b)
      for (const std::int64_t part : {0, 1})
        std::copy_n(dy + (b * modes + transform_.place(m)) * 2 * outputs_ + part * outputs_, outputs_,
                    mixed + (part * batch_ + b) * outputs_);
    if (dR) {
      run.pack_mode(batch_, inputs_, transform_.weight(m), x + transform_.place(m) * 2 * inputs_, modes * 2 * inputs_,
                    packed);
      run.multiply(depth, outputs_, rows, packed, 1, depth, mixed, outputs_, dR + m * depth * outputs_, outputs_,
                   Start::zero, nullptr);
    }
    if (dx) {
      run.transpose(depth, outputs_, R + m * depth * outputs_, outputs_, transposed, depth);
      run.multiply(rows, depth, outputs_, mixed, outputs_, 1, transposed, depth, unmixed, depth, Start::zero, nullptr);
      run.unpack_mode(batch_, inputs_, transform_.weight(m), unmixed, dx + transform_.place(m) * 2 * inputs_,
                      modes * 2 * inputs_);
    }
  }
}

namespace {

/// Rows of a field as they are: Transform::sweep() reads or writes them.
template <class T>
struct Rows {
  T* field;  // [batch, row, point, channel]
  std::int64_t rows, row_size;

  T* at(std::int64_t sample, std::int64_t row) const { return field + (sample * rows + row) * row_size; }
  T* synthesised(std::int64_t sample, std::int64_t row, void*) const { return at(sample, row); }
  void points(int, std::int64_t, std::int64_t, std::int64_t, std::int64_t, const void*) const {}
  const T* analysed(std::int64_t sample, std::int64_t row, const void*) const { return at(sample, row); }
};

}  // namespace

template <class T>
void convolve(const Instructions<T>& run, Transform<T>& transform, int threads, std::int64_t batch, std::int64_t inputs,
              std::int64_t outputs, const T* R, const T* x, T* y, T* spectrum, T* room)
{
  transform.prepare(threads, std::max(inputs, outputs));
  Mixing<T> mixing(transform, threads, batch, inputs, outputs);
  const Rows<T> from = {const_cast<T*>(x), transform.rows(), transform.row_points() * inputs};  // only read
  const Rows<T> to = {y, transform.rows(), transform.row_points() * outputs};
  in_parallel(threads, [&](const Team& team) {
    transform.sweep(run, team, batch, nullptr, 0, spectrum, inputs, from);
    team.barrier();
    mixing.forward(run, team, R, nullptr, spectrum, room);
    team.barrier();
    transform.sweep(run, team, batch, room, outputs, nullptr, 0, to);
  });
}

template <class T>
void convolve_backward(const Instructions<T>& run, Transform<T>& transform, int threads, std::int64_t batch,
                       std::int64_t inputs, std::int64_t outputs, const T* R, const T* spectrum, const T* dy, T* dR,
                       T* dx, T* room)
{
  transform.prepare(threads, std::max(inputs, outputs));
  Mixing<T> mixing(transform, threads, batch, inputs, outputs);
  const Rows<T> from = {const_cast<T*>(dy), transform.rows(), transform.row_points() * outputs};  // only read
  const Rows<T> to = {dx, transform.rows(), transform.row_points() * inputs};
  T* const gradient = room;
  T* const unmixed = dx ? room + batch * transform.modes() * 2 * outputs : nullptr;
  in_parallel(threads, [&](const Team& team) {
    transform.sweep(run, team, batch, nullptr, 0, gradient, outputs, from);
    team.barrier();
    mixing.backward(run, team, R, spectrum, gradient, dR, unmixed);
    if (!dx) return;
    team.barrier();
    transform.sweep(run, team, batch, unmixed, inputs, nullptr, 0, to);
  });
}

#define LOCUM_INSTANTIATE(T)                                                                                   \
  template class Mixing<T>;                                                                                    \
  template void convolve(const Instructions<T>&, Transform<T>&, int, std::int64_t, std::int64_t, std::int64_t, \
                         const T*, const T*, T*, T*, T*);                                                      \
  template void convolve_backward(const Instructions<T>&, Transform<T>&, int, std::int64_t, std::int64_t,      \
                                  std::int64_t, const T*, const T*, const T*, T*, T*, T*);
LOCUM_INSTANTIATE(float)
LOCUM_INSTANTIATE(double)
#undef LOCUM_INSTANTIATE

}  // namespace locum::operators::kernels
