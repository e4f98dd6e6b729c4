#pragma once
#include "layout.hpp"

namespace locum::io {

/// Arrays at the root without any description. Those each axis of which is as long as one of the coordinates x, y, z, t
/// beside them are a single trajectory. Else they are [sample, (z, y,) x]. Most of them have one number of samples; an
/// array with another number is not offered. Arrays [sample], and single numbers, are scalars. Nothing is known of the
/// grid, so it is taken to be the cells of the unit box. Arrays that have another order of axes, or steps of time, are
/// described in the case ([data.fields]).
/// @throws DataError  if there is no such array.
Layout plain_arrays_layout(const hdf5::FileHandle& file, const hdf5::Task& task);

}  // namespace locum::io
