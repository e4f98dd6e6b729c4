#pragma once
#include <cstdint>
#include <filesystem>
#include <locum/core/sample.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace locum::io {

/// What a dataset says about one of its fields.
struct FieldDescription {
  std::string name;
  std::string unit = "1";
  std::int64_t components = 1;  ///< Of a vector or tensor, side by side; 1 for a scalar.
  bool time_varying = false;    ///< Whether every step has its own values.
};

/// Samples in a file, read piece by piece: a file may be larger than memory.
///
/// The layouts of other people's files all look like this one interface; open_dataset() finds out which it is. The
/// file stays open for reading as long as the object lives. Not collective: every rank opens the file and reads its
/// own samples. HDF5 serves one thread at a time in the whole process.
class Dataset {
 public:
  virtual ~Dataset() = default;
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  const std::filesystem::path& file() const noexcept { return file_; }
  /// The layout, for people: "The Well".
  virtual std::string layout() const = 0;
  /// Samples, or trajectories of an evolving problem.
  virtual std::int64_t size() const = 0;
  /// Steps of time a sample has; 1 if nothing evolves.
  virtual std::int64_t steps() const = 0;
  /// Every field that read() accepts, in the file's order.
  virtual std::vector<FieldDescription> fields() const = 0;
  /// What the file was made with, if it says so: equation, options, version.
  virtual std::map<std::string, std::string> provenance() const { return {}; }

  /// Samples first … first+count−1 at step `step`: the named fields as [batch, component, (z, y,) x], and all scalars
  /// the file has, as [batch]. Axes of the domain are in the file's order, slowest first. Real numbers keep their type,
  /// whole numbers become float64. Values are not checked to be finite; check_finite() does that.
  /// @param fields  at least one
  /// @throws DataError  if the file has no such field, samples or step, or a field has other axes than the layout says
  Sample read(const std::vector<std::string>& fields, std::int64_t first, std::int64_t count,
              std::int64_t step = 0) const;

 protected:
  explicit Dataset(std::filesystem::path file) : file_(std::move(file)) {}

  /// Does what read() promises; samples and step are in range.
  virtual Sample load(const std::vector<std::string>& fields, std::int64_t first, std::int64_t count,
                      std::int64_t step) const = 0;
  /// Says that there is no field `name`, and which ones there are.
  [[noreturn]] void refuse_field(const std::string& name) const;

 private:
  std::filesystem::path file_;
};

/// Opens a file in any layout we know:
/// - The Well's (Ohana et al., NeurIPS 2024; https://polymathic-ai.org/the_well): groups t0_fields, t1_fields and
///   t2_fields, dimensions, boundary_conditions and scalars. Attribute `units` of a field, scalar or dimension is its
///   unit. Coordinates at equal distances make a Grid, others a CurvilinearGrid.
/// - plain arrays: every array [sample, (z, y,) x] of numbers at the root is a field of one component. Nothing is known
///   of their grid, so it is taken to be the cells of the unit box.
/// @throws SystemError  if there is no such file or it may not be read
/// @throws DataError    if it is not HDF5, truncated, or of no layout we know
std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& file);

}  // namespace locum::io
