#pragma once
#include "layout.hpp"

namespace locum::io {

/// Whether MATLAB wrote the file (save -v7.3): its arrays have an attribute MATLAB_class.
bool is_matlab(const hdf5::FileHandle& file, const hdf5::Task& task);

/// Arrays MATLAB saved with -v7.3, as the data of the first Fourier neural operators: a, u [sample, x]; coeff, sol
/// [sample, y, x]; a [sample, y, x], u [sample, y, x, time]. MATLAB counts the first axis fastest, so they lie in the
/// file with all axes reversed. An array with one more axis than others, as long as a vector t or tspan, varies in
/// time along it: the second or the last. Vectors and single numbers are scalars, [sample] or constant.
/// @throws DataError  if there is no array with an axis of samples.
Layout matlab_layout(const hdf5::FileHandle& file, const hdf5::Task& task);

}  // namespace locum::io
