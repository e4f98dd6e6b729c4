#include "fourier_layers.hpp"

#include <algorithm>

#include "sweep.hpp"

namespace locum::operators::kernels {

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
  const std::int64_t C = channels_, H = hidden_;
  transposed_storage_.resize(weights_.size() * static_cast<std::size_t>(C * C + 2 * C * H) +
                             static_cast<std::size_t>(2 * C * H));
  T* next = transposed_storage_.data();
  const auto take = [&](std::int64_t count) { return std::exchange(next, next + count); };
  const auto transpose = [&](const T* from, std::int64_t rows, std::int64_t columns) {
    T* const to = take(rows * columns);
    run_.transpose(rows, columns, from, columns, to, rows);
    return to;
  };
  for (const auto& layer : weights_) {
    LayerArrays<T> t;
    t.skip = transpose(layer.skip, C, C);
    if (H > 0) {
      t.hidden = transpose(layer.hidden, H, C);
      t.output = transpose(layer.output, C, H);
    }
    transposed_.push_back(t);
  }
  if (H > 0) {
    const auto& last = weights_.back();
    both_ = take(H * C);
    run_.multiply(H, C, C, last.hidden, C, 1, last.skip, C, both_, C, Start::zero, nullptr);
    both_transposed_ = transpose(both_, H, C);
  }
  scratch_.assign(static_cast<std::size_t>(threads),
                  Array<T>(static_cast<std::size_t>(Transform<T>::most_points * (4 * C + 3 * H))));
  transform_.prepare(threads, std::max(C, H));
}

template <class T>
std::int64_t FourierLayers<T>::saved_size() const
{
  const auto layers = static_cast<std::int64_t>(weights_.size());
  const std::int64_t last = hidden_ > 0 ? points() * hidden_ + spectrum_size() : 0;
  return (2 * layers - 2) * field_size() + layers * spectrum_size() + last;
}

template <class T>
std::int64_t FourierLayers<T>::room_size() const
{
  return 2 * spectrum_size() + batch_ * transform_.modes() * 2 * hidden_;
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
  return static_cast<std::int64_t>(2 * weights_.size() - 2) * field_size() + (hidden_ > 0 ? points() * hidden_ : 0) +
         static_cast<std::int64_t>(layer) * spectrum_size();
}

/// Where the rows of the field are; work on the rows of a layer, in Transform::sweep(), adds to it.
template <class T>
struct FourierLayers<T>::Rows {
  FourierLayers& of;

  std::int64_t offset(std::int64_t sample, std::int64_t row, std::int64_t channels) const
  {
    return (sample * of.transform_.rows() + row) * of.transform_.row_points() * channels;
  }
  std::int64_t offset(std::int64_t sample, std::int64_t row) const { return offset(sample, row, of.channels_); }
};

template <class T>
struct FourierLayers<T>::Forward : Rows {
  std::size_t layer;
  const T* u;  // what comes in
  T* before;   // null if it need not be kept
  T* next;     // what goes out; may be u

  T* synthesised(std::int64_t sample, std::int64_t row, T* spare) const
  {
    if (this->of.is_last(layer) && next != u) return next + this->offset(sample, row);
    return before ? before + this->offset(sample, row) : spare;
  }
  const T* analysed(std::int64_t sample, std::int64_t row, const T*) const { return next + this->offset(sample, row); }

  void points(int thread, std::int64_t sample, std::int64_t row, std::int64_t first, std::int64_t last, T* values) const
  {
    const FourierLayers& of = this->of;
    const auto& run = of.run_;
    const auto &weights = of.weights_[layer], &transposed = of.transposed_[layer];
    const std::int64_t C = of.channels_, H = of.hidden_, n = last - first;
    const T* in = u + this->offset(sample, row) + first * C;
    T* out = next + this->offset(sample, row) + first * C;
    T* v = values + first * C;

    run.multiply(n, C, C, in, C, 1, transposed.skip, C, v, C, Start::add, nullptr);
    if (of.is_last(layer)) {
      if (v != out) std::copy_n(v, n * C, out);
    } else if (H == 0) {
      run.gelu(n * C, v, out);
      if (of.activate_twice_) run.gelu(n * C, out, out);
    } else {
      T* a = of.scratch_of(thread);
      T* w = a + most_points * C;
      T* h = w + most_points * C;
      run.gelu(n * C, v, a);
      run.multiply(n, H, C, a, C, 1, transposed.hidden, H, h, H, Start::row, weights.hidden_bias);
      run.gelu(n * H, h, h);
      run.scale_columns(n, C, weights.gate, in, weights.output_bias, w);
      run.multiply(n, C, H, h, H, 1, transposed.output, C, w, C, Start::add, nullptr);
      run.gelu(n * C, w, out);
    }
  }
};

/// The last layer with a channel network; what is synthesised has its hidden channels.
template <class T>
struct FourierLayers<T>::LastForward : Rows {
  const T* u;
  T* before;
  T* next;

  T* synthesised(std::int64_t sample, std::int64_t row, T* spare) const
  {
    return before ? before + this->offset(sample, row, this->of.hidden_) : spare;
  }
  const T* analysed(std::int64_t, std::int64_t, const T*) const { return nullptr; }

  void points(int thread, std::int64_t sample, std::int64_t row, std::int64_t first, std::int64_t last, T* values) const
  {
    const FourierLayers& of = this->of;
    const auto& run = of.run_;
    const auto &weights = of.weights_.back(), &transposed = of.transposed_.back();
    const std::int64_t C = of.channels_, H = of.hidden_, n = last - first;
    const T* in = u + this->offset(sample, row) + first * C;
    T* out = next + this->offset(sample, row) + first * C;
    T* h = of.scratch_of(thread);

    run.multiply(n, H, C, in, C, 1, of.both_transposed_, H, values + first * H, H, Start::add, nullptr);
    run.gelu(n * H, values + first * H, h);
    run.scale_columns(n, C, weights.gate, in, weights.output_bias, out);
    run.multiply(n, C, H, h, H, 1, transposed.output, C, out, C, Start::add, nullptr);
  }
};

template <class T>
void FourierLayers<T>::forward(const T* input, T* output, T* saved, T* room)
{
  in_parallel(threads_, [&](const Team& team) {
    T* mixed = room;
    T* spectrum = saved ? saved + spectrum_at(0) : room + spectrum_size();
    struct Analysis : Rows {
      const T* field;
      T* synthesised(std::int64_t, std::int64_t, T* spare) const { return spare; }
      void points(int, std::int64_t, std::int64_t, std::int64_t, std::int64_t, T*) const {}
      const T* analysed(std::int64_t b, std::int64_t row, const T*) const { return field + this->offset(b, row); }
    };
    const std::int64_t C = channels_, H = hidden_;
    transform_.sweep(run_, team, batch_, nullptr, 0, spectrum, C, Analysis{{*this}, input});
    const T* u = input;
    for (std::size_t layer = 0; !is_last(layer); ++layer) {
      team.barrier();
      mixing_.forward(run_, team, weights_[layer].spectral, weights_[layer].skip_bias, spectrum, mixed);
      team.barrier();
      T* next = saved ? saved + input_at(layer + 1) : output;
      if (saved) spectrum = saved + spectrum_at(layer + 1);
      transform_.sweep(run_, team, batch_, mixed, C, spectrum, C,
                       Forward{{*this}, layer, u, saved ? saved + before_at(layer) : nullptr, next});
      u = next;
    }
    const std::size_t last = weights_.size() - 1;
    if (H > 0 && saved) mixed = saved + spectrum_at(last + 1);
    team.barrier();
    mixing_.forward(run_, team, weights_[last].spectral, weights_[last].skip_bias, spectrum, mixed);
    team.barrier();
    if (H == 0) {
      transform_.sweep(run_, team, batch_, mixed, C, nullptr, 0, Forward{{*this}, last, u, nullptr, output});
      return;
    }
    T* const reduced = room + 2 * spectrum_size();
    const auto [first, past] = team.share(batch_ * transform_.modes() * 2);
    run_.multiply(past - first, H, C, mixed + first * C, C, 1, transposed_[last].hidden, H, reduced + first * H, H,
                  Start::zero, nullptr);
    team.barrier();
    if (team.rank == 0)
      for (std::int64_t b = 0; b < batch_; ++b) run_.add(H, weights_[last].hidden_bias, reduced + mean_at(b) * H);
    team.barrier();
    transform_.sweep(run_, team, batch_, reduced, H, nullptr, 0,
                     LastForward{{*this}, u, saved ? saved + before_at(last) : nullptr, output});
  });
}

/// A thread's sums of the gradients by what is the same at every point.
template <class T>
struct FourierLayers<T>::Sums {
  Sums(std::int64_t C, std::int64_t H) : storage(static_cast<std::size_t>(2 * C * C + 3 * H * C + H + 2 * C))
  {
    T* next = storage.data();
    const auto take = [&](std::int64_t count) { return std::exchange(next, next + count); };
    arrays.skip = take(std::max(C, H) * C);  // of the last layer with a channel network: by W₁W
    arrays.hidden = take(H * C);
    arrays.hidden_bias = take(H);
    arrays.output = take(C * H);
    arrays.output_bias = take(C);
    arrays.gate = take(C);
  }

  Array<T> storage;
  LayerArrays<T> arrays;
};

template <class T>
struct FourierLayers<T>::Backward : Rows {
  std::size_t layer;
  const T* u;         // what came into the layer
  const T* before;    // what went into its first σ
  const T* d_output;  // the gradient by what the last layer gave; null in the others
  T* d_field;         // the part of the gradient by the layer's output that is there; then by its input
  std::vector<Sums>& sums;

  T* synthesised(std::int64_t, std::int64_t, T* spare) const { return spare; }
  const T* analysed(std::int64_t sample, std::int64_t row, const T* spare) const
  {
    return d_output ? d_output + this->offset(sample, row) : spare;
  }

  void points(int thread, std::int64_t sample, std::int64_t row, std::int64_t first, std::int64_t last, T* values) const
  {
    const FourierLayers& of = this->of;
    const auto& run = of.run_;
    const auto &weights = of.weights_[layer], &transposed = of.transposed_[layer];
    const auto& sum = sums[static_cast<std::size_t>(thread)].arrays;
    const std::int64_t C = of.channels_, H = of.hidden_, n = last - first, at = this->offset(sample, row) + first * C;
    const T* in = u + at;
    const T* v = before + at;
    T* dv = values + first * C;  // in place of what was synthesised
    T* d = d_field + at;
    T* a = of.scratch_of(thread);
    T* da = a + most_points * C;
    T* w = da + most_points * C;
    T* dw = w + most_points * C;
    T* h = dw + most_points * C;
    T* slope_h = h + most_points * H;
    T* dh = slope_h + most_points * H;

    if (d_output) {
      // No σ: the gradient by v is d_output.
    } else if (H == 0 && !of.activate_twice_) {
      run.gelu_gradient(n * C, v, d, dv, dv);
    } else if (H == 0) {
      run.gelu_slope(n * C, v, a, da);
      run.gelu_gradient(n * C, a, d, dv, dv);
      run.scale(n * C, da, dv);
    } else {
      run.gelu_slope(n * C, v, a, da);
      run.multiply(n, H, C, a, C, 1, transposed.hidden, H, dh, H, Start::row, weights.hidden_bias);
      run.gelu_slope(n * H, dh, h, slope_h);
      run.scale_columns(n, C, weights.gate, in, weights.output_bias, w);
      run.multiply(n, C, H, h, H, 1, transposed.output, C, w, C, Start::add, nullptr);
      run.gelu_gradient(n * C, w, d, dv, dw);
      run.add_column_products(n, C, dw, in, sum.gate);
      run.add_column_sums(n, C, dw, sum.output_bias);
      run.multiply(C, H, n, dw, 1, C, h, H, sum.output, H, Start::add, nullptr);
      run.multiply(n, H, C, dw, C, 1, weights.output, H, dh, H, Start::zero, nullptr);
      run.scale(n * H, slope_h, dh);
      run.add_column_sums(n, H, dh, sum.hidden_bias);
      run.multiply(H, C, n, dh, 1, H, a, C, sum.hidden, C, Start::add, nullptr);
      run.multiply(n, C, H, dh, H, 1, weights.hidden, C, dv, C, Start::zero, nullptr);
      run.scale(n * C, da, dv);
    }
    const T* const by_v = d_output ? d_output + at : dv;
    run.multiply(C, C, n, by_v, 1, C, in, C, sum.skip, C, Start::add, nullptr);
    if (H > 0) run.scale_columns(n, C, weights.gate, dw, nullptr, d);
    run.multiply(n, C, C, by_v, C, 1, weights.skip, C, d, C, H > 0 ? Start::add : Start::zero, nullptr);
  }
};

/// The last layer with a channel network; what is analysed has its hidden channels.
template <class T>
struct FourierLayers<T>::LastBackward : Rows {
  const T* u;
  const T* before;
  const T* d_output;
  T* d_field;
  std::vector<Sums>& sums;

  T* synthesised(std::int64_t, std::int64_t, T* spare) const { return spare; }
  const T* analysed(std::int64_t, std::int64_t, const T* spare) const { return spare; }

  void points(int thread, std::int64_t sample, std::int64_t row, std::int64_t first, std::int64_t last, T* values) const
  {
    const FourierLayers& of = this->of;
    const auto& run = of.run_;
    const auto& weights = of.weights_.back();
    const auto& sum = sums[static_cast<std::size_t>(thread)].arrays;
    const std::int64_t C = of.channels_, H = of.hidden_, n = last - first, at = this->offset(sample, row) + first * C;
    const T *in = u + at, *g = d_output + at;
    T *d = d_field + at, *dh = values + first * H;
    T* h = of.scratch_of(thread);
    T* slope = h + most_points * H;

    run.gelu_slope(n * H, before + this->offset(sample, row, H) + first * H, h, slope);
    run.add_column_products(n, C, g, in, sum.gate);
    run.add_column_sums(n, C, g, sum.output_bias);
    run.multiply(C, H, n, g, 1, C, h, H, sum.output, H, Start::add, nullptr);
    run.multiply(n, H, C, g, C, 1, weights.output, H, dh, H, Start::zero, nullptr);
    run.scale(n * H, slope, dh);
    run.multiply(H, C, n, dh, 1, H, in, C, sum.skip, C, Start::add, nullptr);
    run.scale_columns(n, C, weights.gate, g, nullptr, d);
    run.multiply(n, C, H, dh, H, 1, of.both_, C, d, C, Start::add, nullptr);
  }
};

template <class T>
void FourierLayers<T>::backward(const T* input, const T* d_output, const T* saved, T* room, T* d_input,
                                const std::vector<LayerArrays<T>>& gradients)
{
  std::vector<Sums> sums;
  for (int t = 0; t < threads_; ++t) sums.emplace_back(channels_, hidden_);
  const std::int64_t C = channels_, H = hidden_;
  const std::size_t last = weights_.size() - 1;

  in_parallel(threads_, [&](const Team& team) {
    T* const d_mixed = room;
    T* const d_spectrum = room + spectrum_size();
    T* const d_reduced = room + 2 * spectrum_size();
    Sums& own = sums[static_cast<std::size_t>(team.rank)];
    for (std::size_t layer = weights_.size(); layer-- > 0;) {
      std::fill(own.storage.begin(), own.storage.end(), T(0));
      const T* u = layer == 0 ? input : saved + input_at(layer);
      const T* before = saved + before_at(layer);
      const bool reduces = layer == last && H > 0;
      if (reduces) {
        transform_.sweep(run_, team, batch_, nullptr, 0, d_reduced, H,
                         LastBackward{{*this}, u, before, d_output, d_input, sums});
        team.barrier();
        const auto [first, past] = team.share(batch_ * transform_.modes() * 2);
        run_.multiply(past - first, C, H, d_reduced + first * H, H, 1, weights_[last].hidden, C, d_mixed + first * C, C,
                      Start::zero, nullptr);
        run_.multiply(H, C, past - first, d_reduced + first * H, 1, H, saved + spectrum_at(last + 1) + first * C, C,
                      own.arrays.hidden, C, Start::add, nullptr);
      } else {
        transform_.sweep(run_, team, batch_, layer == last ? nullptr : d_spectrum, C, d_mixed, C,
                         Backward{{*this}, layer, u, before, layer == last ? d_output : nullptr, d_input, sums});
      }
      team.barrier();
      mixing_.backward(run_, team, weights_[layer].spectral, saved + spectrum_at(layer), d_mixed,
                       gradients[layer].spectral, d_spectrum);
      if (team.rank == 0) add_up(sums, gradients[layer], layer, d_mixed, reduces ? d_reduced : nullptr);
      team.barrier();
    }
    struct Synthesis : Rows {
      T* d_field;
      T* synthesised(std::int64_t, std::int64_t, T* spare) const { return spare; }
      void points(int, std::int64_t sample, std::int64_t row, std::int64_t first, std::int64_t past, T* values) const
      {
        const std::int64_t channels = this->of.channels_;
        this->of.run_.add((past - first) * channels, values + first * channels,
                          d_field + this->offset(sample, row) + first * channels);
      }
      const T* analysed(std::int64_t, std::int64_t, const T* spare) const { return spare; }
    };
    transform_.sweep(run_, team, batch_, d_spectrum, C, nullptr, 0, Synthesis{{*this}, d_input});
  });
}

/// The gradients of one layer from the threads' sums and the mean of what was analysed: the gradient by a bias.
/// @param d_mixed    [batch, mode, 2, channel]
/// @param d_reduced  [batch, mode, 2, hidden] in the last layer with a channel network, else null
template <class T>
void FourierLayers<T>::add_up(const std::vector<Sums>& sums, const LayerArrays<T>& to, std::size_t layer,
                              const T* d_mixed, const T* d_reduced) const
{
  const std::int64_t C = channels_, H = hidden_;
  const auto total = [&](T* array, T* LayerArrays<T>::*part, std::int64_t count) {
    if (!array) return;
    std::fill_n(array, count, T(0));
    for (const Sums& own : sums) run_.add(count, own.arrays.*part, array);
  };
  const auto mean = [&](T* array, const T* spectrum, std::int64_t channels) {
    if (!array) return;
    std::fill_n(array, channels, T(0));
    for (std::int64_t b = 0; b < batch_; ++b) run_.add(channels, spectrum + mean_at(b) * channels, array);
  };
  mean(to.skip_bias, d_mixed, C);
  total(to.output, &LayerArrays<T>::output, C * H);
  total(to.output_bias, &LayerArrays<T>::output_bias, C);
  total(to.gate, &LayerArrays<T>::gate, C);
  total(to.hidden, &LayerArrays<T>::hidden, H * C);
  if (!d_reduced) {
    total(to.skip, &LayerArrays<T>::skip, C * C);
    total(to.hidden_bias, &LayerArrays<T>::hidden_bias, H);
    return;
  }
  // From W₁W and W₁b to W and W₁; the part by W₁ on the spectrum has b in it.
  Array<T> by_both(static_cast<std::size_t>(H * C));
  total(by_both.data(), &LayerArrays<T>::skip, H * C);
  mean(to.hidden_bias, d_reduced, H);
  const auto& weights = weights_[layer];
  if (to.skip) run_.multiply(C, C, H, weights.hidden, 1, C, by_both.data(), C, to.skip, C, Start::zero, nullptr);
  if (to.hidden)
    run_.multiply(H, C, C, by_both.data(), C, 1, transposed_[layer].skip, C, to.hidden, C, Start::add, nullptr);
}

template class FourierLayers<float>;
template class FourierLayers<double>;

}  // namespace locum::operators::kernels
