#pragma once
#include <algorithm>

#include "team.hpp"
#include "transform.hpp"

namespace locum::operators::kernels {

template <class T>
template <class Work>
void Transform<T>::sweep(const Instructions<T>& run, const Team& team, std::int64_t batch, const T* from,
                         std::int64_t from_channels, T* to, std::int64_t to_channels, Work&& work)
{
  const std::size_t axes = axes_.size(), last = axes - 1;
  const std::int64_t kx = bands_[last].count(), ky = axes > 1 ? bands_[last - 1].count() : 1;
  const std::int64_t row_length = row_points(), from_row = kx * 2 * from_channels, to_row = kx * 2 * to_channels;
  const std::int64_t lines = axes > 1 ? axes_[last - 1].points() : 1;  // rows of a plane
  const std::int64_t planes = axes > 2 ? axes_[0].points() : 1;
  Buffers& own = buffers_[static_cast<std::size_t>(team.rank)];
  Buffers& common = buffers_[0];
  T* const scratch = own.scratch.data();
  const std::int64_t block = points_at_once(std::max(from_channels, to_channels));

  const auto row = [&](std::int64_t b, std::int64_t r, const T* spectrum, T* spectrum_after) {
    T* const values = work.synthesised(b, r, own.row.data());
    if (from) synthesise_row(run, from_channels, 0, from_channels, spectrum, values);
    for (std::int64_t p = 0; p < row_length; p += block)
      work.points(team.rank, b, r, p, std::min(p + block, row_length), values);
    if (to) analyse_row(run, to_channels, 0, to_channels, work.analysed(b, r, own.row.data()), spectrum_after, scratch);
  };
  const auto after = [&](Array<T>& before, Array<T>& other) {
    return from && from_channels != to_channels ? other.data() : before.data();
  };
  const auto plane = [&](std::int64_t b, std::int64_t z, const T* spectrum, T* spectrum_after) {
    T *before = own.plane.data(), *afterwards = after(own.plane, own.plane_after);
    if (from) synthesise_axis(run, last - 1, from_channels, 0, kx, kx, spectrum, before, scratch);
    for (std::int64_t y = 0; y < lines; ++y) row(b, z * lines + y, before + y * from_row, afterwards + y * to_row);
    if (to) analyse_axis(run, last - 1, to_channels, 0, kx, kx, afterwards, spectrum_after, scratch);
  };

  const std::int64_t from_sample = modes_ * 2 * from_channels, to_sample = modes_ * 2 * to_channels;
  const std::int64_t even = batch / team.size * team.size;
  for (std::int64_t b = team.rank; b < even; b += team.size) {
    const T* spectrum = from ? from + b * from_sample : nullptr;
    T* spectrum_after = to ? to + b * to_sample : nullptr;
    if (axes == 1) row(b, 0, spectrum, spectrum_after);
    else if (axes == 2) plane(b, 0, spectrum, spectrum_after);
    else {
      T *before = own.volume.data(), *afterwards = after(own.volume, own.volume_after);
      if (from) synthesise_axis(run, 0, from_channels, 0, ky * kx, ky * kx, spectrum, before, scratch);
      for (std::int64_t z = 0; z < planes; ++z) plane(b, z, before + z * ky * from_row, afterwards + z * ky * to_row);
      if (to) analyse_axis(run, 0, to_channels, 0, ky * kx, ky * kx, afterwards, spectrum_after, scratch);
    }
  }

  for (std::int64_t b = even; b < batch; ++b) {  // together
    const T* spectrum = from ? from + b * from_sample : nullptr;
    T* spectrum_after = to ? to + b * to_sample : nullptr;
    team.barrier();  // the common buffers are free, and the spectra there
    if (axes == 1) {
      constexpr std::int64_t unit = 8;
      T* const values = work.synthesised(b, 0, common.row.data());
      if (from) {
        const auto [c, end] = team.share(from_channels, unit);
        if (c < end) synthesise_row(run, from_channels, c, end, spectrum, values);
        team.barrier();
      }
      const auto [p0, p1] = team.share(row_length);
      for (std::int64_t p = p0; p < p1; p += block) work.points(team.rank, b, 0, p, std::min(p + block, p1), values);
      if (to) {
        team.barrier();
        const auto [c, end] = team.share(to_channels, unit);
        if (c < end)
          analyse_row(run, to_channels, c, end, work.analysed(b, 0, common.row.data()), spectrum_after, scratch);
      }
      continue;
    }
    const std::int64_t complex_rows = axes == 2 ? kx : ky * kx;
    Array<T>& room = axes == 2 ? common.plane : common.volume;
    T *before = room.data(), *afterwards = after(room, axes == 2 ? common.plane_after : common.volume_after);
    const auto [c, end] = team.share(complex_rows);
    if (from) {
      synthesise_axis(run, 0, from_channels, c, end, complex_rows, spectrum, before, scratch);
      team.barrier();
    }
    const auto [first, past] = team.share(axes == 2 ? lines : planes);
    for (std::int64_t i = first; i < past; ++i) {
      if (axes == 2) row(b, i, before + i * from_row, afterwards + i * to_row);
      else plane(b, i, before + i * ky * from_row, afterwards + i * ky * to_row);
    }
    if (to) {
      team.barrier();
      analyse_axis(run, 0, to_channels, c, end, complex_rows, afterwards, spectrum_after, scratch);
    }
  }
}

}  // namespace locum::operators::kernels
