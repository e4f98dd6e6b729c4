#pragma once
#include "dataset.hpp"
#include "hdf5.hpp"

namespace locum::io {

/// Whether the file has The Well's groups.
bool is_the_well(const hdf5::FileHandle& file, const hdf5::Task& task);

/// A file in The Well's layout. Field = [sample, step, axes of the grid…, components…]; sample, step and each axis of
/// the grid are there only if attributes sample_varying, time_varying and dim_varying say so, and what does not vary is
/// repeated. Rules: https://polymathic-ai.org/the_well/data_format, with the corners its own writer has: booleans are
/// an enumeration, an empty list is an attribute of no numbers, associated_dims may be one string, a dimension may
/// lack time_varying, components of a tensor may be [D, D] or [D²].
class TheWell : public Dataset {
 public:
  TheWell(const std::filesystem::path& path, hdf5::FileHandle file, const hdf5::Task& task);

  std::string layout() const override { return "The Well"; }
  std::int64_t size() const override { return size_; }
  std::int64_t steps() const override { return times_.size(-1); }
  std::vector<FieldDescription> fields() const override;
  std::map<std::string, std::string> provenance() const override;

 protected:
  Sample load(const std::vector<std::string>& fields, std::int64_t first, std::int64_t count,
              std::int64_t step) const override;

 private:
  /// A field or scalar and the axes it has.
  struct Stored {
    FieldDescription description;
    std::string group;
    std::size_t order = 0;  ///< Of the tensor: 0, 1, 2.
    bool sample_varying = true;
    std::vector<bool> dim_varying;  ///< None for a scalar.
  };

  std::vector<Stored> describe(const std::string& group, std::size_t order, const hdf5::Task& task) const;
  Domain read_domain(const hdf5::Task& task) const;
  /// [batch, component, axes of the grid…]
  Tensor read_values(const Stored& stored, std::int64_t first, std::int64_t count, std::int64_t step,
                     const hdf5::Task& task) const;

  hdf5::FileHandle file_;
  std::int64_t size_ = 0;
  std::vector<std::string> dimensions_;  ///< Of space, slowest first.
  Tensor times_;                         ///< [step] or [sample, step], float64.
  Domain domain_;
  std::vector<Stored> fields_;
  std::vector<Stored> scalars_;
};

}  // namespace locum::io
