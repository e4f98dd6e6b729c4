#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "array.hpp"
#include "instructions.hpp"

namespace locum::operators {

/// Frequencies kept along one axis: whole periods over its length, first and last included.
struct Band {
  std::int64_t lowest = 0;
  std::int64_t highest = 0;

  std::int64_t count() const noexcept { return highest - lowest + 1; }
};

}  // namespace locum::operators

namespace locum::operators::kernels {

struct Team;

/// Cosine and sine sums over the points of one axis,
///     C_k = Σⱼ cos(2πkj/n) xⱼ,  S_k = Σⱼ sin(2πkj/n) xⱼ,  0 ≤ k < frequencies,
/// and their transposes, as small matrix products of folded points: j and n − j share their cosine and, up to the sign,
/// their sine; so do, for even n and apart for even and odd k, j and n/2 − j. One fold halves the work, two quarter it.
template <class T>
class Axis {
 public:
  /// @param sine_sign  what every sine is multiplied by
  Axis(std::int64_t points, std::int64_t frequencies, int sine_sign);

  std::int64_t points() const noexcept { return points_; }
  std::int64_t frequencies() const noexcept { return frequencies_; }
  /// Numbers of scratch that analyse() takes, a column.
  std::int64_t folded_rows() const noexcept { return std::ssize(parts_) * folded_; }

  /// @param x  [points, columns], stride x_row
  /// @param c  [frequencies, columns], stride c_row: C; likewise s: S
  void analyse(const Instructions<T>& run, std::int64_t columns, const T* x, std::int64_t x_row, T* c,
               std::int64_t c_row, T* s, std::int64_t s_row, T* scratch) const;
  /// x = Σ_k cos(2πkj/n) c_k + sin(2πkj/n) s_k
  void synthesise(const Instructions<T>& run, std::int64_t columns, const T* c, std::int64_t c_row, const T* s,
                  std::int64_t s_row, T* x, std::int64_t x_row) const;

 private:
  struct Part {
    bool sine;
    std::int64_t first, step, count;  // its frequencies
    Array<T> analysis;                // [frequency, folded point]
    Array<T> synthesis;               // [folded point, frequency]
  };
  std::int64_t points_, frequencies_, folded_;
  std::vector<Part> parts_;
};

/// The few lowest frequencies of real fields on a grid of one to three axes, and fields from them.
///
/// Fields are [batch, (z, y,) x, channel], spectra [batch, (k_z, k_y,) k_x, 2, channel], real and imaginary part along
/// the axis of length 2. The last axis keeps frequencies from 0; of the others k is lowest … highest.
///     analysis   X_k = Σⱼ e^{−2πi k·j/n} xⱼ
///     synthesis  xⱼ = Σ_k Re(e^{2πi k·j/n} X_k)
/// Neither has factors, so that each is the transpose of the other as real maps; weight() has what makes them inverse.
template <class T>
class Transform {
 public:
  /// @param points  of each axis, slowest first
  /// @param bands   likewise; each resolved by its points
  Transform(std::vector<std::int64_t> points, std::vector<Band> bands);

  std::int64_t points() const noexcept { return rows_ * row_points(); }  ///< Of the grid.
  std::int64_t rows() const noexcept { return rows_; }                   ///< Lines along the last axis.
  std::int64_t row_points() const noexcept { return axes_.back().points(); }
  std::int64_t modes() const noexcept { return modes_; }
  /// The place in a spectrum of mode `m` of the weights, whose slowest axis is the last of the grid.
  std::int64_t place(std::int64_t m) const noexcept { return places_[static_cast<std::size_t>(m)]; }
  /// The mode of the weights that is the mean.
  std::int64_t zero_mode() const noexcept { return zero_mode_; }
  /// What mode `m` of the weights is multiplied by between analysis and synthesis: 1 or 2 over the points.
  T weight(std::int64_t m) const noexcept { return weights_[static_cast<std::size_t>(m)]; }

  /// Points of a row that sweep() hands over at once: in 8 kB of a field, so that some fields stay in the first cache.
  static constexpr std::int64_t most_points = 64;
  static std::int64_t points_at_once(std::int64_t channels)
  {
    return std::clamp<std::int64_t>(8192 / (channels * std::int64_t(sizeof(T))) / 4 * 4, 8, most_points);
  }

  /// Makes room for `threads` threads and fields of up to `channels` channels. Before sweep(), by one thread.
  void prepare(int threads, std::int64_t channels);

  /// Goes once over all rows of all samples: synthesises the row from spectrum `from`, lets `work` change it, analyses
  /// the outcome into spectrum `to`; either spectrum may be null. By all threads of a team, each sample by one thread
  /// while it is in its cache, and what is left when the threads cannot share the samples evenly, by all together.
  /// A barrier must follow before another thread's results are used.
  ///
  /// Defined in sweep.hpp. Work has
  ///     T* synthesised(sample, row, spare)          where the row goes: [point, from_channels]; `spare` will do
  ///     void points(thread, sample, row, first, last, synthesised)   changes these points of it, or does what it likes
  ///     const T* analysed(sample, row, spare)       the row that is to be analysed, [point, to_channels]
  template <class Work>
  void sweep(const Instructions<T>& run, const Team& team, std::int64_t batch, const T* from,
             std::int64_t from_channels, T* to, std::int64_t to_channels, Work&& work);

 private:
  struct Buffers {
    Array<T> scratch;      // of one axis
    Array<T> row;          // [point, channel]
    Array<T> plane;        // [y, k_x, 2, channel]
    Array<T> plane_after;  // the same, if the number of channels changes
    Array<T> volume;       // [z, k_y, k_x, 2, channel]
    Array<T> volume_after;
  };

  /// Along the last axis, of channels first … last.
  void analyse_row(const Instructions<T>& run, std::int64_t channels, std::int64_t first, std::int64_t last, const T* x,
                   T* spectrum, T* scratch) const;
  void synthesise_row(const Instructions<T>& run, std::int64_t channels, std::int64_t first, std::int64_t last,
                      const T* spectrum, T* x) const;
  /// Along an axis before it, of complex rows first … last of `channels` each; [points, complex] to [k, complex].
  void analyse_axis(const Instructions<T>& run, std::size_t axis, std::int64_t channels, std::int64_t first,
                    std::int64_t last, std::int64_t all, const T* x, T* spectrum, T* scratch) const;
  void synthesise_axis(const Instructions<T>& run, std::size_t axis, std::int64_t channels, std::int64_t first,
                       std::int64_t last, std::int64_t all, const T* spectrum, T* x, T* scratch) const;
  template <class Value, class Body>
  void in_columns(std::size_t axis, std::int64_t channels, std::int64_t first, std::int64_t last, std::int64_t all,
                  Value* spectrum, T* scratch, Body&& body) const;

  std::vector<Band> bands_;
  std::vector<Axis<T>> axes_;
  std::int64_t rows_ = 1, modes_ = 1, zero_mode_ = 0;
  std::vector<std::int64_t> places_;
  Array<T> weights_;
  std::vector<Buffers> buffers_;  // one a thread
  int prepared_threads_ = 0;
  std::int64_t prepared_channels_ = 0;
};

}  // namespace locum::operators::kernels
