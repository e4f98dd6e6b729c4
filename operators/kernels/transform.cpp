#include "transform.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace locum::operators::kernels {

/// cos(2π turn / n), exact where it is 0 or ±1.
static double cosine(std::int64_t turn, std::int64_t n)
{
  turn %= n;
  if (turn == 0) return 1;
  if (2 * turn == n) return -1;
  if (4 * turn == n || 4 * turn == 3 * n) return 0;
  return std::cos(2 * std::numbers::pi * static_cast<double>(turn) / static_cast<double>(n));
}

static double sine(std::int64_t turn, std::int64_t n)
{
  turn %= n;
  if (turn == 0 || 2 * turn == n) return 0;
  if (4 * turn == n) return 1;
  if (4 * turn == 3 * n) return -1;
  return std::sin(2 * std::numbers::pi * static_cast<double>(turn) / static_cast<double>(n));
}

template <class T>
Axis<T>::Axis(std::int64_t points, std::int64_t frequencies, int sine_sign)
    : points_(points), frequencies_(frequencies), folded_(points % 2 == 0 ? points / 4 + 1 : (points + 1) / 2)
{
  const bool twice = points % 2 == 0;
  for (int p = 0; p < (twice ? 4 : 2); ++p) {
    Part part = {.sine = twice ? p > 1 : p > 0,
                 .first = twice ? p % 2 : 0,
                 .step = twice ? 2 : 1,
                 .count = 0,
                 .analysis = {},
                 .synthesis = {}};
    part.count = std::max<std::int64_t>(0, (frequencies - part.first + part.step - 1) / part.step);
    part.analysis.resize(static_cast<std::size_t>(part.count * folded_));
    part.synthesis.resize(part.analysis.size());
    for (std::int64_t i = 0; i < part.count; ++i)
      for (std::int64_t j = 0; j < folded_; ++j) {
        const std::int64_t turn = (part.first + i * part.step) * j;
        const double value = part.sine ? sine_sign * sine(turn, points) : cosine(turn, points);
        // The first point and, if 4 divides n, the last are their own mirror images: fold() counts them twice.
        const bool twofold = j == 0 || (twice && 4 * j == points);
        part.analysis[static_cast<std::size_t>(i * folded_ + j)] = static_cast<T>(twofold ? value / 2 : value);
        part.synthesis[static_cast<std::size_t>(j * part.count + i)] = static_cast<T>(value);
      }
    parts_.push_back(std::move(part));
  }
}

template <class T>
void Axis<T>::analyse(const Instructions<T>& run, std::int64_t columns, const T* x, std::int64_t x_row, T* c,
                      std::int64_t c_row, T* s, std::int64_t s_row, T* scratch) const
{
  run.fold(points_, columns, x, x_row, scratch);
  for (const Part& part : parts_) {
    T* to = part.sine ? s : c;
    const std::int64_t row = part.sine ? s_row : c_row;
    run.multiply(part.count, columns, folded_, part.analysis.data(), folded_, 1, scratch, columns,
                 to + part.first * row, part.step * row, Start::zero, nullptr);
    scratch += folded_ * columns;
  }
}

template <class T>
void Axis<T>::synthesise(const Instructions<T>& run, std::int64_t columns, const T* c, std::int64_t c_row, const T* s,
                         std::int64_t s_row, T* x, std::int64_t x_row) const
{
  std::array<SynthesisPart<T>, 4> parts;
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const Part& part = parts_[p];
    const std::int64_t row = part.sine ? s_row : c_row;
    parts[p] = {part.synthesis.data(), part.count, (part.sine ? s : c) + part.first * row, part.step * row};
  }
  run.synthesise(points_, columns, parts.data(), x, x_row);
}

template <class T>
Transform<T>::Transform(std::vector<std::int64_t> points, std::vector<Band> bands) : bands_(std::move(bands))
{
  for (std::size_t a = 0; a < bands_.size(); ++a) {
    const bool real = a + 1 == bands_.size();  // e^{−iφ} x = (cos φ, −sin φ) x
    axes_.emplace_back(points[a], std::max(bands_[a].highest, -bands_[a].lowest) + 1, real ? -1 : 1);
    modes_ *= bands_[a].count();
    if (a + 1 < bands_.size()) rows_ *= points[a];
  }
  const std::int64_t kx = bands_.back().count(), others = modes_ / kx;
  const std::int64_t kz = bands_.size() > 2 ? bands_[0].count() : 1, ky = others / kz;
  for (std::size_t a = bands_.size() - 1; a-- > 0;) zero_mode_ = zero_mode_ * bands_[a].count() - bands_[a].lowest;
  for (std::int64_t x = 0; x < kx; ++x) {
    const bool own_conjugate = x == 0 || 2 * x == points.back();
    for (std::int64_t y = 0; y < ky; ++y)
      for (std::int64_t z = 0; z < kz; ++z) {
        places_.push_back((z * ky + y) * kx + x);
        weights_.push_back(static_cast<T>((own_conjugate ? 1.0 : 2.0) / static_cast<double>(this->points())));
      }
  }
}

/// Complex columns transformed at once along an axis before the last: few enough to stay in the first cache.
static constexpr std::int64_t columns_at_once = 32;

static std::int64_t rows_at_once(std::int64_t channels)
{
  return std::max<std::int64_t>(1, columns_at_once / channels);
}

template <class T>
void Transform<T>::prepare(int threads, std::int64_t channels)
{
  if (threads <= prepared_threads_ && channels <= prepared_channels_) return;
  prepared_threads_ = std::max(threads, prepared_threads_);
  prepared_channels_ = channels = std::max(channels, prepared_channels_);
  std::int64_t scratch = axes_.back().folded_rows() * channels;
  for (std::size_t a = 0; a + 1 < axes_.size(); ++a)
    scratch = std::max(scratch,
                       (axes_[a].folded_rows() + 2 * axes_[a].frequencies()) * 2 * std::max(channels, columns_at_once));
  const auto size = [](std::int64_t count) { return static_cast<std::size_t>(count); };
  const std::int64_t kx = bands_.back().count() * 2 * channels;
  buffers_.resize(static_cast<std::size_t>(prepared_threads_));
  for (Buffers& own : buffers_) {
    own.scratch.resize(size(scratch));
    own.row.resize(size(row_points() * channels));
    if (axes_.size() > 1) {
      own.plane.resize(size(axes_[axes_.size() - 2].points() * kx));
      own.plane_after.resize(own.plane.size());
    }
    if (axes_.size() > 2) {
      own.volume.resize(size(axes_[0].points() * bands_[1].count() * kx));
      own.volume_after.resize(own.volume.size());
    }
  }
}

template <class T>
void Transform<T>::analyse_row(const Instructions<T>& run, std::int64_t channels, std::int64_t first, std::int64_t last,
                               const T* x, T* spectrum, T* scratch) const
{
  axes_.back().analyse(run, last - first, x + first, channels, spectrum + first, 2 * channels,
                       spectrum + channels + first, 2 * channels, scratch);
}

template <class T>
void Transform<T>::synthesise_row(const Instructions<T>& run, std::int64_t channels, std::int64_t first,
                                  std::int64_t last, const T* spectrum, T* x) const
{
  axes_.back().synthesise(run, last - first, spectrum + first, 2 * channels, spectrum + channels + first, 2 * channels,
                          x + first, channels);
}

/// Calls body(units, offset, c, s, scratch, place) for a few complex rows at a time: where they begin, room for their
/// cosine and sine parts, room for more, and place(k), where frequency k of theirs is in the spectrum or null.
template <class T>
template <class Value, class Body>
void Transform<T>::in_columns(std::size_t axis, std::int64_t channels, std::int64_t first, std::int64_t last,
                              std::int64_t all, Value* spectrum, T* scratch, Body&& body) const
{
  const Band band = bands_[axis];
  const std::int64_t unit = 2 * channels, at_once = rows_at_once(channels);
  for (std::int64_t i = first; i < last; i += at_once) {
    const std::int64_t units = std::min(at_once, last - i), part = axes_[axis].frequencies() * units * unit;
    body(units, i * unit, scratch, scratch + part, scratch + 2 * part, [&](std::int64_t k) -> Value* {
      return k < band.lowest || k > band.highest ? nullptr : spectrum + ((k - band.lowest) * all + i) * unit;
    });
  }
}

template <class T>
void Transform<T>::analyse_axis(const Instructions<T>& run, std::size_t axis, std::int64_t channels, std::int64_t first,
                                std::int64_t last, std::int64_t all, const T* x, T* spectrum, T* scratch) const
{
  in_columns(axis, channels, first, last, all, spectrum, scratch,
             [&](std::int64_t units, std::int64_t offset, T* c, T* s, T* rest, const auto& place) {
               const std::int64_t columns = units * 2 * channels;
               axes_[axis].analyse(run, columns, x + offset, all * 2 * channels, c, columns, s, columns, rest);
               for (std::int64_t k = 0; k < axes_[axis].frequencies(); ++k)
                 run.split_signs(units, channels, c + k * columns, s + k * columns, place(k),
                                 k == 0 ? nullptr : place(-k));
             });
}

template <class T>
void Transform<T>::synthesise_axis(const Instructions<T>& run, std::size_t axis, std::int64_t channels,
                                   std::int64_t first, std::int64_t last, std::int64_t all, const T* spectrum, T* x,
                                   T* scratch) const
{
  in_columns(axis, channels, first, last, all, spectrum, scratch,
             [&](std::int64_t units, std::int64_t offset, T* c, T* s, T*, const auto& place) {
               const std::int64_t columns = units * 2 * channels;
               for (std::int64_t k = 0; k < axes_[axis].frequencies(); ++k)
                 run.join_signs(units, channels, place(k), k == 0 ? nullptr : place(-k), c + k * columns,
                                s + k * columns);
               axes_[axis].synthesise(run, columns, c, columns, s, columns, x + offset, all * 2 * channels);
             });
}

template class Axis<float>;
template class Axis<double>;
template class Transform<float>;
template class Transform<double>;

}  // namespace locum::operators::kernels
