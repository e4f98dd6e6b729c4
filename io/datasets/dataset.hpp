#pragma once
#include <cstdint>
#include <filesystem>
#include <locum/core/sample.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace locum::io {

/// What a dataset says about one of its fields.
struct FieldDescription {
  std::string name;
  std::string unit = "1";
  std::int64_t components = 1;  ///< Of a vector or tensor, side by side; 1 for a scalar.
  bool time_varying = false;    ///< Whether every step has its own values.
  /// Axes as they are stored, by name, and their extents: sample 1000, time 17, x 16.
  std::vector<std::pair<std::string, std::int64_t>> axes = {};
};

/// [data.fields.NAME] and [data.parameters.NAME] of a case: where a field is in the file, and what its axes are.
struct ArrayOptions {
  std::string path;
  std::vector<std::string> axes;
  std::string unit;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("path", path, "of the array in the file; *: every group, a sample each; \"\": the field's name");
    option("axes", axes, "as stored, slowest first: sample, time, component, others are space; []: as recognised");
    option("unit", unit, "as UDUNITS spells it; \"\": as the file says");
  }
};

/// [data.axes.NAME] of a case: the coordinates along an axis, or of time.
struct AxisOptions {
  std::string path;
  double origin = 0;
  double spacing = 0;
  bool periodic = false;
  std::string unit;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("path", path, "of its coordinates in the file; \"\": none, or as recognised");
    option("origin", origin, "coordinate of the first point, if spacing is given");
    option("spacing", spacing, "between points; 0: from path, else the cells of the unit box");
    option("periodic", periodic, "the point after the last is the first");
    option("unit", unit, "of the coordinates; \"\": as the file says");
  }
};

/// What a case says about a file that the file itself does not.
struct DatasetOptions {
  std::map<std::string, ArrayOptions> fields;      ///< With axes: the layout. Without: units of recognised fields.
  std::map<std::string, ArrayOptions> parameters;  ///< Numbers of a sample, [] or [sample].
  std::map<std::string, AxisOptions> axes;
  std::vector<std::int64_t> every;  ///< Of the grid's points, each n-th along each axis, slowest first; one for all.
};

/// Samples in a file, or in all files of a folder, read piece by piece: they may be larger than memory.
///
/// The layouts of other people's files all look like this one interface; open_dataset() finds out which it is. Files
/// stay open for reading as long as the object lives. Not collective: every rank opens the file and reads its own
/// samples. HDF5 serves one thread at a time in the whole process.
class Dataset {
 public:
  struct Part;  ///< A file; internal.

  Dataset(std::filesystem::path file, std::vector<std::unique_ptr<Part>> parts, std::vector<std::int64_t> every);
  ~Dataset();
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  const std::filesystem::path& file() const noexcept { return file_; }
  /// The files there are: one, or those of the folder.
  std::vector<std::filesystem::path> files() const;
  /// The layout, for people: "The Well".
  std::string layout() const;
  /// Samples, or trajectories of an evolving problem.
  std::int64_t size() const noexcept { return size_; }
  /// Steps of time a sample has; 1 if nothing evolves.
  std::int64_t steps() const;
  /// Time of a step, in time_unit().
  double time(std::int64_t sample, std::int64_t step) const;
  std::string time_unit() const;
  /// CF's name of the calendar times are dates of; "" if they are none.
  std::string calendar() const;
  /// The same as people write it: "0.25", "1 in s", "1999-12-30 00:00:00".
  std::string time_text(std::int64_t sample, std::int64_t step) const;
  /// Every field that read() accepts, in the file's order.
  std::vector<FieldDescription> fields() const;
  /// Numbers of a sample, that read() adds to all it reads; by name, it also accepts them as fields, the same
  /// everywhere.
  std::vector<FieldDescription> scalars() const;
  /// What the file was made with, if it says so: equation, options, version.
  std::map<std::string, std::string> provenance() const;
  /// The description of a field or scalar. @throws DataError  if there is none of that name.
  FieldDescription describe(const std::string& field) const;
  /// Where the named fields live if they are read together. @throws DataError  if they cannot be.
  Domain domain(const std::vector<std::string>& fields) const;

  /// Samples first … first+count−1 at step `step`: the named fields as [batch, component, (z, y,) x], and all scalars
  /// the file has, as [batch]. Axes of the domain are in the file's order, slowest first. Real numbers keep their type,
  /// whole numbers become float64. What the file marks as missing is NaN. Values are not checked to be finite;
  /// check_finite() does that.
  /// @param fields  at least one
  /// @throws DataError  if the file has no such field, samples or step, or a field has other axes than the layout says
  Sample read(const std::vector<std::string>& fields, std::int64_t first, std::int64_t count,
              std::int64_t step = 0) const;

  /// The scalars alone: what read() adds, [batch].
  std::map<std::string, Scalar> read_scalars(std::int64_t first, std::int64_t count, std::int64_t step = 0) const;

  /// Several steps of one field at once: samples first …, steps step ….
  /// @param together  fields that are read beside it: their domain() is the one wanted
  /// @param out       [sample, step, component, (z, y,) x], float32 or float64; one step if the field does not vary in
  ///                  time. Filled without another copy where the file's order and type are the same.
  /// @throws DataError  as read() does
  void read_steps(const std::string& field, std::int64_t first, std::int64_t step,
                  const std::vector<std::string>& together, const Tensor& out) const;
  /// Says that these steps of a field will be read next: the disk need not wait for it. A hint, for values that lie one
  /// after the other in the file; nothing otherwise.
  void expect_steps(const std::string& field, std::int64_t first, std::int64_t step, std::int64_t samples,
                    std::int64_t steps) const;
  /// The type that read() gives a field: float32 or float64.
  torch::Dtype type(const std::string& field) const;
  /// Samples, or steps of a sample, that one chunk of the field's storage holds along that axis; 1 if it is contiguous.
  std::int64_t chunk_samples(const std::string& field) const;
  std::int64_t chunk_steps(const std::string& field) const;

 private:
  [[noreturn]] void refuse_field(const std::string& name) const;
  void require_range(std::int64_t first, std::int64_t count, std::int64_t step, std::int64_t steps) const;

  std::filesystem::path file_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::vector<std::int64_t> every_;
  std::int64_t size_ = 0;
};

/// Opens a file, or all HDF5 files of a folder one after the other, in any layout of docs/data.md; which it is, is seen
/// in the file: The Well, PDEBench, MATLAB 7.3, netCDF-4 with CF's conventions, or plain arrays [sample, (z, y,) x] at
/// the root. Where `options` name the axes of fields, these are the layout.
/// @throws SystemError  if there is no such file or it may not be read
/// @throws DataError    if it is not HDF5, truncated, of no layout we know, or files of a folder do not fit each other
/// @throws OptionError  if `options` name what the file does not have
std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& file, const DatasetOptions& options = {});

}  // namespace locum::io
