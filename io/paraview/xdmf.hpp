#pragma once
// Internal to locum::io.
#include <cstdint>
#include <locum/core/sample.hpp>
#include <string>
#include <vector>

namespace locum::io {

/// An array of a dataset as it lies in its file: sample after sample, step after step of each, little-endian.
struct StoredRows {
  std::string name;
  std::string unit;
  std::string path;                 ///< In the HDF5 file.
  std::int64_t offset = 0;          ///< Of its first value in the file, bytes.
  std::int64_t value_bytes = 4;     ///< Of a value, IEEE floating point.
  bool time_varying = false;        ///< Whether the second axis is steps.
  std::int64_t components = 0;      ///< At each point; 0: one number a sample, no field.
  std::vector<std::int64_t> shape;  ///< [sample, (step,) (z, y,) x, (component, (component))] or [sample].
};

/// The text of an XDMF file that shows a dataset in ParaView where it lies, nothing being copied.
///
/// ParaView's time goes through sample after sample: of steady ones it is their number; of evolving ones trajectory i
/// begins a step after the end of trajectory i − 1, so that the first has its own times. The first 1000 pictures, or
/// the first trajectory if it is longer, are listed: what more there is takes ParaView's reader minutes to list. The
/// last axis of the grid is ParaView's x. Units stand in the names: "velocity [m s-1]". Numbers of a sample are field
/// data.
///
/// Values are named by their place in the file (`Seek`), which all of ParaView's readers of XDMF understand; beyond
/// 4 GiB, where Xdmf3 ends the program, as a part of the HDF5 array, which Xdmf3 alone does.
/// @param file  name of the dataset, in the same folder
/// @param times  of the steps
std::string xdmf_of(const std::string& file, const Grid& grid, const std::vector<double>& times, std::int64_t samples,
                    const std::vector<StoredRows>& arrays);

}  // namespace locum::io
