#pragma once
#include <cstdint>
#include <vector>

#include "mixing.hpp"

namespace locum::operators::kernels {

/// What one Fourier layer is made of, or the gradients by it: arrays in the layout of the parameters.
template <class T>
struct LayerArrays {
  T* spectral = nullptr;     ///< [mode, 2, channel, channel]
  T* skip = nullptr;         ///< [output, input]
  T* skip_bias = nullptr;    ///< [channel]
  T* hidden = nullptr;       ///< [hidden, channel]; null without a channel network, like all below
  T* hidden_bias = nullptr;  ///< [hidden]
  T* output = nullptr;       ///< [channel, hidden]
  T* output_bias = nullptr;  ///< [channel]
  T* gate = nullptr;         ///< [channel]
};

/// Fourier layers one after the other,
///     v = σ(W u + b + F⁻¹(R · F u)),    u ← σ(W₂ σ(W₁ v + b₁) + b₂ + g ⊙ u)
/// with σ the GELU, which the last layer only has inside its channel network. Without channel networks u ← v, or σ(v)
/// with `activate_twice`.
///
/// A row of the field, once in the cache, is synthesised, goes through all of the pointwise maps and is analysed for
/// the next layer; so each layer reads and writes the field once. The bias b is added to the frequency 0. In the last
/// layer nothing stands between W, F⁻¹ and W₁, so a channel network takes W₁W u + F⁻¹(W₁ (R · F u)) + W₁b + b₁ there,
/// which is the same with fewer and, as `hidden_channels` are few, smaller products.
template <class T>
class FourierLayers {
 public:
  /// @param weights  only read; the arrays must outlive this
  FourierLayers(Transform<T>& transform, int threads, std::int64_t batch, std::int64_t channels,
                std::int64_t hidden_channels, bool activate_twice, std::vector<LayerArrays<T>> weights,
                const Instructions<T>& run = instructions<T>());

  /// Numbers that forward() leaves for backward(), and that it needs room for if nothing is to be left.
  std::int64_t saved_size() const;
  std::int64_t room_size() const;

  /// @param input   [batch, point, channel]
  /// @param output  [batch, point, channel]; not `input`
  /// @param saved   saved_size() numbers, or null
  /// @param room    room_size() numbers
  void forward(const T* input, T* output, T* saved, T* room);

  /// @param saved        from forward()
  /// @param gradients    all that are not null are written
  /// @param d_output     [batch, point, channel]: the gradient by the output
  /// @param d_input      [batch, point, channel]: the gradient by the input
  void backward(const T* input, const T* d_output, const T* saved, T* room, T* d_input,
                const std::vector<LayerArrays<T>>& gradients);

 private:
  struct Rows;
  struct Forward;
  struct LastForward;
  struct Backward;
  struct LastBackward;
  struct Sums;

  std::int64_t points() const { return batch_ * transform_.points(); }
  std::int64_t field_size() const { return points() * channels_; }
  std::int64_t spectrum_size() const { return batch_ * transform_.modes() * 2 * channels_; }
  bool is_last(std::size_t layer) const { return layer + 1 == weights_.size(); }
  // What is saved, in order: the layers' inputs but for the first, what goes into their first σ, their spectra and,
  // with a channel network, the last one's mixed spectrum.
  std::int64_t input_at(std::size_t layer) const;
  std::int64_t before_at(std::size_t layer) const;
  std::int64_t spectrum_at(std::size_t layer) const;

  /// Which row of [batch · mode · 2] is the mean of a sample.
  std::int64_t mean_at(std::int64_t sample) const
  {
    return (sample * transform_.modes() + transform_.place(transform_.zero_mode())) * 2;
  }
  T* scratch_of(int thread) const { return scratch_[static_cast<std::size_t>(thread)].data(); }
  void add_up(const std::vector<Sums>& sums, const LayerArrays<T>& to, std::size_t layer, const T* d_mixed,
              const T* d_reduced) const;

  static constexpr std::int64_t most_points = Transform<T>::most_points;

  const Instructions<T>& run_;
  Transform<T>& transform_;
  int threads_;
  std::int64_t batch_, channels_, hidden_;
  bool activate_twice_;
  std::vector<LayerArrays<T>> weights_, transposed_;
  T* both_ = nullptr;             // W₁W of the last layer, [hidden, channel]
  T* both_transposed_ = nullptr;  // its transpose
  Array<T> transposed_storage_;
  mutable std::vector<Array<T>> scratch_;  // one a thread
  Mixing<T> mixing_;
};

}  // namespace locum::operators::kernels
