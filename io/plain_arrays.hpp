#pragma once
#include "dataset.hpp"
#include "hdf5.hpp"

namespace locum::io {

/// A file of arrays [sample, (z, y,) x] at the root, without any description. Most of its arrays have one number of
/// samples; an array with another number is not offered.
class PlainArrays : public Dataset {
 public:
  PlainArrays(const std::filesystem::path& path, hdf5::FileHandle file, const hdf5::Task& task);

  std::string layout() const override { return "arrays [sample, (z, y,) x]"; }
  std::int64_t size() const override { return size_; }
  std::int64_t steps() const override { return 1; }
  std::vector<FieldDescription> fields() const override;

 protected:
  Sample load(const std::vector<std::string>& fields, std::int64_t first, std::int64_t count,
              std::int64_t step) const override;

 private:
  struct Array {
    std::string name;
    std::string unit;
    std::vector<std::int64_t> shape;
  };
  /// Whether it has a sample axis of the common length and one to three axes of space.
  bool is_field(const Array& array) const;

  hdf5::FileHandle file_;
  std::vector<Array> arrays_;
  std::int64_t size_ = 0;
};

}  // namespace locum::io
