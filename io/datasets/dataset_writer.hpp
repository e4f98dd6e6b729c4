#pragma once
#include <cstdint>
#include <filesystem>
#include <locum/core/communicator.hpp>
#include <locum/core/sample.hpp>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../atomic_file.hpp"
#include "dataset.hpp"

namespace locum::io {

/// What a dataset will hold, known before the first sample is.
struct DatasetHeader {
  std::string name;                                          ///< Of the dataset: "darcy".
  std::int64_t samples = 0;                                  ///< May be none.
  Grid grid;                                                 ///< All samples live on it.
  std::vector<double> times = {0};                           ///< Of the steps, at least one.
  std::vector<FieldDescription> fields;                      ///< Of 1, D or D² components on D axes.
  std::vector<std::pair<std::string, std::string>> scalars;  ///< Name and unit; one float64 a sample.
  std::map<std::string, std::string> provenance;             ///< Equation, options, seed, version.
  torch::Dtype type = torch::kFloat64;                       ///< Of the fields: float32 or float64.
};

/// Writes samples, from any number of ranks at once, to one HDF5 file in The Well's layout.
///
/// The file obeys The Well's rules (https://polymathic-ai.org/the_well/data_format), so that its tools read it, and
/// adds: attributes `units` and `long_name`; `spacing` on the dimensions; group `provenance` of texts. Axes that are
/// not periodic have WALL boundaries. It is the same, byte for byte, however many ranks wrote it in whatever order.
///
/// Rank 0 lays out "FILE.partial" alone and sets the room aside; then every rank writes its samples into their places
/// in it, past HDF5 and MPI-IO: no lock, no call in which one rank waits for another, and a failure is the system's own
/// errno on the rank that met it. close() makes it FILE. So FILE, if it exists, is complete. Destroyed without close(),
/// the writer removes the partial file; of a writer that was killed it stays, and the next one replaces it.
class DatasetWriter {
 public:
  /// Collective.
  /// @param ranks  those that will write
  /// @throws ShapeError   if a field's components are not 1, D or D², or times are none
  /// @throws SystemError  if the file cannot be made, or the disk has no room for it
  DatasetWriter(const Communicator& ranks, std::filesystem::path file, DatasetHeader header);
  ~DatasetWriter();
  DatasetWriter(const DatasetWriter&) = delete;
  DatasetWriter& operator=(const DatasetWriter&) = delete;

  /// Writes samples first, first+1, … at step `step`: all fields and scalars of the header, others are left out. Fields
  /// that do not vary in time, and scalars, are taken from step 0. Each sample is to be written once. Not collective:
  /// call inside agree() if it may throw on one rank only.
  /// @param samples  on the header's grid, in any floating type
  /// @throws ShapeError   if axes, components, members or the range of samples differ from the header's
  /// @throws DataError    if a field is missing or has another unit
  /// @throws SystemError  if it cannot be written
  void write(std::int64_t first, const Sample& samples, std::int64_t step = 0);

  /// Writes FILE with the ending .xdmf, small, with which ParaView shows the values where they lie: sample after sample
  /// along its time (docs/data.md). Collective; before close(), so that a dataset that is there has it.
  /// @throws SystemError  if it cannot be written
  void write_xdmf() const;

  /// Collective. All ranks return, and then the file is complete and on the disk, or all throw.
  /// @throws DataError    if some sample was not written, or twice
  /// @throws SystemError  if it cannot be written
  void close();

 private:
  void write_rows(const std::string& path, std::int64_t first, std::optional<std::int64_t> step,
                  const Tensor& values) const;

  Communicator ranks_;
  std::filesystem::path path_;
  std::filesystem::path partial_;
  DatasetHeader header_;
  std::int64_t written_ = 0;  // samples × steps, by this rank
  Descriptor file_;
  std::map<std::string, std::size_t> offsets_;  // of the values, by path
  bool closed_ = false;
};

}  // namespace locum::io
