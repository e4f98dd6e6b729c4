#pragma once
#include "layout.hpp"

namespace locum::io {

/// Whether the file has dimension scales, as every netCDF-4 file has.
bool is_netcdf(const hdf5::FileHandle& file, const hdf5::Task& task);

/// netCDF-4 files, read through HDF5 by the CF conventions (https://cfconventions.org): the variables of the root group
/// on one to three axes of space are fields, those of time alone are scalars. Dimension scales name the axes; the one
/// whose unit is "… since …" is time, standard name realization is samples (an ensemble), the others are space. A file
/// without realizations is one sample. Values equal to _FillValue, missing_value, or what netCDF fills unwritten
/// variables with, are NaN; scale_factor and add_offset are applied. A longitude that goes round is periodic.
/// @throws DataError  if no variable is a field.
Layout netcdf_layout(const hdf5::FileHandle& file, const hdf5::Task& task);

}  // namespace locum::io
