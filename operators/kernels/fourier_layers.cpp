#include "fourier_layers.hpp"

#include <algorithm>

#include "sweep.hpp"

namespace locum::operators::kernels {

static constexpr std::int64_t most_points = 64;  // Transform::sweep() hands over at once

template <class T>
FourierLayers<T>::FourierLayers(Transform<T>& transform, int threads, std::int64_t batch, std::int64_t channels,
                                std::int64_t hidden_channels, bool activate_twice, std::vector<LayerArrays<T>> weights,
                                const Instructions<T>& run)
    : run_(run),
      transform_(transform),
      threads_(threads),
      batch_(batch),
      channels_(channels),
      hidden_(hidden_channels),
      activate_twice_(activate_twice),
      weights_(std::move(weights)),
      mixing_(transform, threads, batch, channels, channels)
{
  const std::int64_t size = channels_ * channels_ + 2 * channels_ * hidden_;
  transposed_storage_.resize(weights_.size() * static_cast<std::size_t>(size));
  T* next = transposed_storage_.data();
  for (const auto& layer : weights_) {
    LayerArrays<T> t;
    const auto transpose = [&](const T* from, std::int64_t rows, std::int64_t columns) {
      run_.transpose(rows, columns, from, columns, next, rows);
      return std::exchange(next, next + rows * columns);
    };
    t.skip = transpose(layer.skip, channels_, channels_);
    if (hidden_ > 0) {
      t.hidden = transpose(layer.hidden, hidden_, channels_);
      t.output = transpose(layer.output, channels_, hidden_);
    }
    transposed_.push_back(t);
  }
  scratch_.assign(static_cast<std::size_t>(threads),
                  std::vector<T>(static_cast<std::size_t>(most_points * (4 * channels_ + 3 * hidden_))));
  transform_.prepare(threads, channels_);
}

template <class T>
std::int64_t FourierLayers<T>::saved_size() const
{
  const auto layers = static_cast<std::int64_t>(weights_.size());
  return (2 * layers - 1) * field_size() + layers * spectrum_size();
}

template <class T>
std::int64_t FourierLayers<T>::room_size() const
{
  return 2 * spectrum_size();
}

template <class T>
std::int64_t FourierLayers<T>::input_at(std::size_t layer) const
{
  return (static_cast<std::int64_t>(layer) - 1) * field_size();
}

template <class T>
std::int64_t FourierLayers<T>::before_at(std::size_t layer) const
{
  return static_cast<std::int64_t>(weights_.size() - 1 + layer) * field_size();
}

template <class T>
std::int64_t FourierLayers<T>::spectrum_at(std::size_t layer) const
{
  return static_cast<std::int64_t>(2 * weights_.size() - 1) * field_size() +
         static_cast<std::int64_t>(layer) * spectrum_size();
}

/// Work on the rows of one layer, in Transform::sweep().
template <class T>
struct FourierLayers<T>::Forward {
  FourierLayers& of;
  std::size_t layer;
  const T* u;  // what comes in
  T* before;   // null if it need not be kept
  T* next;     // what goes out; may be u

  std::int64_t offset(std::int64_t sample, std::int64_t row) const
  {
    return (sample * of.transform_.rows() + row) * of.transform_.row_points() * of.channels_;
  }
  T* synthesised(std::int64_t sample, std::int64_t row, T* spare) const
  {
    return before ? before + offset(sample, row) : spare;
  }
  const T* analysed(std::int64_t sample, std::int64_t row, const T*) const { return next + offset(sample, row); }

  void points(int thread, std::int64_t sample, std::int64_t row, std::int64_t first, std::int64_t last, T* values) const
  {
    const auto& run = of.run_;
    const auto &weights = of.weights_[layer], &transposed = of.transposed_[layer];
    const std::int64_t C = of.channels_, H = of.hidden_, n = last - first;
    const bool activates = !of.is_last(layer);
    const T* in = u + offset(sample, row) + first * C;
    T* out = next + offset(sample, row) + first * C;
    T* v = values + first * C;
    T* a = of.scratch_[static_cast<std::size_t>(thread)].data();
    T* w = a + most_points * C;
    T* h = w + most_points * C;

    run.multiply(n, C, C, in, C, 1, transposed.skip, C, v, C, Start::add, nullptr);
    run.add_row(n, C, weights.skip_bias, v);
    if (H == 0) {
      if (!activates) std::copy_n(v, n * C, out);
      else run.gelu(n * C, v, out);
      if (activates && of.activate_twice_) run.gelu(n * C, out, out);
      return;
    }
    if (activates) run.gelu(n * C, v, a);
    run.multiply(n, H, C, activates ? a : v, C, 1, transposed.hidden, H, h, H, Start::row, weights.hidden_bias);
    run.gelu(n * H, h, h);
    run.multiply(n, C, H, h, H, 1, transposed.output, C, w, C, Start::row, weights.output_bias);
    run.add_scaled(n, C, weights.gate, in, w);
    if (activates) run.gelu(n * C, w, out);
    else std::copy_n(w, n * C, out);
  }
};

template <class T>
void FourierLayers<T>::forward(const T* input, T* output, T* saved, T* room)
{
  in_parallel(threads_, [&](const Team& team) {
    T* mixed = room;
    T* spectrum = saved ? saved + spectrum_at(0) : room + spectrum_size();
    const Forward analysis = {*this, 0, nullptr, nullptr, const_cast<T*>(input)};  // only read
    struct Analysis : Forward {
      void points(int, std::int64_t, std::int64_t, std::int64_t, std::int64_t, T*) const {}
    };
    transform_.sweep(run_, team, batch_, nullptr, 0, spectrum, channels_, Analysis{analysis});
    const T* u = input;
    for (std::size_t layer = 0; layer < weights_.size(); ++layer) {
      team.barrier();
      mixing_.forward(run_, team, weights_[layer].spectral, spectrum, mixed);
      team.barrier();
      T* next = saved && !is_last(layer) ? saved + input_at(layer + 1) : output;
      if (saved && !is_last(layer)) spectrum = saved + spectrum_at(layer + 1);
      transform_.sweep(run_, team, batch_, mixed, channels_, is_last(layer) ? nullptr : spectrum, channels_,
                       Forward{*this, layer, u, saved ? saved + before_at(layer) : nullptr, next});
      u = next;
    }
  });
}

/// A thread's sums of the gradients by what is the same at every point.
template <class T>
struct FourierLayers<T>::Sums {
  Sums(std::int64_t channels, std::int64_t hidden) : C(channels), H(hidden), storage(size()) {}

  std::size_t size() const { return static_cast<std::size_t>(C * C + C + (H > 0 ? 2 * H * C + H + 2 * C : 0)); }
  LayerArrays<T> arrays()
  {
    LayerArrays<T> to;
    T* next = storage.data();
    const auto take = [&](std::int64_t count) { return std::exchange(next, next + count); };
    to.skip = take(C * C);
    to.skip_bias = take(C);
    if (H == 0) return to;
    to.hidden = take(H * C);
    to.hidden_bias = take(H);
    to.output = take(C * H);
    to.output_bias = take(C);
    to.gate = take(C);
    return to;
  }

  std::int64_t C, H;
  std::vector<T> storage;
};

template <class T>
struct FourierLayers<T>::Backward {
  FourierLayers& of;
  std::size_t layer;
  const T* u;         // what came into the layer
  const T* before;    // what went into its first σ
  const T* d_output;  // the gradient by what the last layer gave; null in the others
  T* d_field;         // the part of the gradient by the layer's output that is there; then by its input
  std::vector<LayerArrays<T>>& sums;

  std::int64_t offset(std::int64_t sample, std::int64_t row) const
  {
    return (sample * of.transform_.rows() + row) * of.transform_.row_points() * of.channels_;
  }
  T* synthesised(std::int64_t, std::int64_t, T* spare) const { return spare; }
  const T* analysed(std::int64_t, std::int64_t, const T* spare) const { return spare; }

  void points(int thread, std::int64_t sample, std::int64_t row, std::int64_t first, std::int64_t last, T* values) const
  {
    const auto& run = of.run_;
    const auto &weights = of.weights_[layer], &transposed = of.transposed_[layer];
    const auto& sum = sums[static_cast<std::size_t>(thread)];
    const std::int64_t C = of.channels_, H = of.hidden_, n = last - first, at = offset(sample, row) + first * C;
    const bool activates = !of.is_last(layer);
    const T* in = u + at;
    const T* v = before + at;
    T* dv = values + first * C;  // in place of what was synthesised
    T* d = d_field + at;
    T* a = of.scratch_[static_cast<std::size_t>(thread)].data();
    T* da = a + most_points * C;
    T* w = da + most_points * C;
    T* dw = w + most_points * C;
    T* h = dw + most_points * C;
    T* slope_h = h + most_points * H;
    T* dh = slope_h + most_points * H;

    if (!d_output) run.add(n * C, dv, d);
    const T* g = d_output ? d_output + at : d;

    const T* d_second = nullptr;  // the gradient by what goes into the second σ
    if (H > 0) {
      if (activates) run.gelu_slope(n * C, v, a, da);
      const T* active = activates ? a : v;
      run.multiply(n, H, C, active, C, 1, transposed.hidden, H, dh, H, Start::row, weights.hidden_bias);
      run.gelu_slope(n * H, dh, h, slope_h);
      d_second = g;
      if (activates) {
        run.multiply(n, C, H, h, H, 1, transposed.output, C, w, C, Start::row, weights.output_bias);
        run.add_scaled(n, C, weights.gate, in, w);
        run.gelu_slope(n * C, w, nullptr, dw);
        run.scale(n * C, g, dw);
        d_second = dw;
      }
      run.add_column_products(n, C, d_second, in, sum.gate);
      run.add_column_sums(n, C, d_second, sum.output_bias);
      run.multiply(C, H, n, d_second, 1, C, h, H, sum.output, H, Start::add, nullptr);
      run.multiply(n, H, C, d_second, C, 1, weights.output, H, dh, H, Start::zero, nullptr);
      run.scale(n * H, slope_h, dh);
      run.add_column_sums(n, H, dh, sum.hidden_bias);
      run.multiply(H, C, n, dh, 1, H, active, C, sum.hidden, C, Start::add, nullptr);
      run.multiply(n, C, H, dh, H, 1, weights.hidden, C, dv, C, Start::zero, nullptr);
      if (activates) run.scale(n * C, da, dv);
    } else if (activates) {
      run.gelu_slope(n * C, v, a, dv);
      run.scale(n * C, g, dv);
      if (of.activate_twice_) {
        run.gelu_slope(n * C, a, nullptr, w);
        run.scale(n * C, w, dv);
      }
    } else {
      std::copy_n(g, n * C, dv);
    }
    run.add_column_sums(n, C, dv, sum.skip_bias);
    run.multiply(C, C, n, dv, 1, C, in, C, sum.skip, C, Start::add, nullptr);
    run.multiply(n, C, C, dv, C, 1, weights.skip, C, d, C, Start::zero, nullptr);
    if (H > 0) run.add_scaled(n, C, weights.gate, d_second, d);
  }
};

template <class T>
void FourierLayers<T>::backward(const T* input, const T* d_output, const T* saved, T* room, T* d_input,
                                const std::vector<LayerArrays<T>>& gradients)
{
  std::vector<Sums> storage(static_cast<std::size_t>(threads_), Sums(channels_, hidden_));
  std::vector<LayerArrays<T>> sums;
  for (Sums& own : storage) sums.push_back(own.arrays());
  const std::int64_t C = channels_, H = hidden_;

  in_parallel(threads_, [&](const Team& team) {
    T* const d_mixed = room;
    T* const d_spectrum = room + spectrum_size();
    const auto own = static_cast<std::size_t>(team.rank);
    for (std::size_t layer = weights_.size(); layer-- > 0;) {
      std::fill(storage[own].storage.begin(), storage[own].storage.end(), T(0));
      const bool last = is_last(layer);
      const T* u = layer == 0 ? input : saved + input_at(layer);
      Backward work{*this, layer, u, saved + before_at(layer), last ? d_output : nullptr, d_input, sums};
      transform_.sweep(run_, team, batch_, last ? nullptr : d_spectrum, C, d_mixed, C, work);
      team.barrier();
      mixing_.backward(run_, team, weights_[layer].spectral, saved + spectrum_at(layer), d_mixed,
                       gradients[layer].spectral, d_spectrum);
      if (team.rank == 0) {
        const auto add_up = [&](T* LayerArrays<T>::*array, std::int64_t count) {
          T* to = gradients[layer].*array;
          if (!to) return;
          std::fill_n(to, count, T(0));
          for (const auto& part : sums) run_.add(count, part.*array, to);
        };
        add_up(&LayerArrays<T>::skip, C * C);
        add_up(&LayerArrays<T>::skip_bias, C);
        add_up(&LayerArrays<T>::hidden, H * C);
        add_up(&LayerArrays<T>::hidden_bias, H);
        add_up(&LayerArrays<T>::output, C * H);
        add_up(&LayerArrays<T>::output_bias, C);
        add_up(&LayerArrays<T>::gate, C);
      }
      team.barrier();
    }
    struct Synthesis : Backward {
      void points(int, std::int64_t sample, std::int64_t row, std::int64_t first, std::int64_t last, T* values) const
      {
        const std::int64_t C = this->of.channels_;
        this->of.run_.add((last - first) * C, values + first * C,
                          this->d_field + this->offset(sample, row) + first * C);
      }
    };
    transform_.sweep(run_, team, batch_, d_spectrum, C, nullptr, 0,
                     Synthesis{{*this, 0, nullptr, nullptr, nullptr, d_input, sums}});
  });
}

template class FourierLayers<float>;
template class FourierLayers<double>;

}  // namespace locum::operators::kernels
