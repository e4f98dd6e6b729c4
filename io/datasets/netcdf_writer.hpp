#pragma once
#include <locum/core/sample.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace locum::io {

/// What a netCDF file says beside its values.
struct NetcdfOptions {
  std::string title;
  std::string time_unit = "s";  ///< Of Sample::time; "days since 2000-01-01" makes dates of it.
  std::string calendar;         ///< CF's name of the calendar; "" if times are no dates.
};

/// Writes a time series as netCDF-4 by the CF conventions 1.11, for ncdump, xarray, Panoply, and netcdf_layout().
///
/// One variable a field and component, float32 or float64, [time, (realization,) axes of the grid]; members of a batch
/// are realizations. Coordinates of the grid keep names and units; those in degrees_north and degrees_east get their
/// standard names. Missing values are NaN and say so (_FillValue). A field "u" of two components is variables u_0, u_1;
/// "u@+1" is u_plus_1, as CF wants names.
/// The file appears whole or not at all.
/// @param steps  at least one, on one uniform grid, of the same fields and members; Sample::time grows
/// @throws ShapeError   if steps do not fit each other
/// @throws SystemError  if the file cannot be written
void write_netcdf(const std::filesystem::path& file, const std::vector<Sample>& steps, const NetcdfOptions& options);

}  // namespace locum::io
