#pragma once
#include <locum/core/sample.hpp>

#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

namespace locum::io {

/// Whether locum was built with VTK, which writes the files below.
bool paraview_available();

/// Writes one member of a sample as a file ParaView opens: stem.vti for a uniform grid, .vts for a curvilinear one,
/// .vtu for a mesh or points. Not collective.
///
/// Fields become point data of their names; two components are padded to three with zero, as ParaView wants vectors.
/// Axes named x, y and z are ParaView's x, y and z however they are stored; with other names the last axis is x, as it
/// is on curvilinear grids. Scalars become field data, and a field data array "units" lists "pressure: Pa".
/// The file appears whole or not at all.
/// @param stem    path without the ending; its folder must exist
/// @param member  along the batch axis
/// @return        the path written
/// @throws ShapeError   if a field does not fit the domain or there is no such member.
/// @throws SystemError  if the file cannot be written.
/// @throws OptionError  if locum was built without VTK.
std::filesystem::path write_paraview(const std::filesystem::path& stem, const Sample& sample, std::int64_t member = 0);

/// A time series for ParaView: NAME.pvd, and beside it a folder NAME with a file for each time.
class ParaviewSeries {
 public:
  /// Starts a new series; one that is there under this name is replaced when the first time is added.
  /// @param pvd  path of the collection file, ending in .pvd; its folder must exist
  explicit ParaviewSeries(std::filesystem::path pvd);

  /// Writes one member and lists it in the collection, which is complete, for ParaView to open, after each call.
  /// @throws  as write_paraview() does.
  void add(double time, const Sample& sample, std::int64_t member = 0);

 private:
  std::filesystem::path pvd_;
  std::vector<std::pair<double, std::filesystem::path>> files_;
};

}  // namespace locum::io
