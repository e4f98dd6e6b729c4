#pragma once
// Internal to locum::io: one file of a dataset, open.
#include "../atomic_file.hpp"
#include "../layouts/layout.hpp"
#include "dataset.hpp"

namespace locum::io {

/// Axes of space, by name, and their extents as stored.
using SpaceAxes = std::vector<std::pair<std::string, std::int64_t>>;

struct Dataset::Part {
  std::filesystem::path path;
  hdf5::FileHandle file;
  Descriptor descriptor;  ///< Of the same file, for hints alone; may be none.
  Layout layout;
  std::map<std::string, hdf5::ObjectHandle> opened;  ///< Arrays read before, with their caches.

  /// The field or scalar of that name; null if there is none.
  const StoredArray* find(const std::string& name) const;
  /// Axes of the domain of fields that are read together. @throws DataError  if their grids differ.
  SpaceAxes axes_of(const std::vector<const StoredArray*>& arrays, const hdf5::Task& task) const;
  /// Fills `out` [sample, step, component, (z, y,) x] from samples first …, steps step …; every n-th point.
  void read(const StoredArray& array, const SpaceAxes& axes, const std::vector<std::int64_t>& every, std::int64_t first,
            std::int64_t step, const Tensor& out, const hdf5::Task& task);
  /// Asks the system to fetch what read() of so many samples and steps will want, if the array is contiguous.
  void expect(const StoredArray& array, std::int64_t first, std::int64_t step, std::int64_t samples, std::int64_t steps,
              const hdf5::Task& task);
  /// Extents of an array's chunks; none if it is contiguous.
  std::vector<std::int64_t> chunks(const StoredArray& array, const hdf5::Task& task);
  /// Reads the first value of every array, or of a file of at most 16 MiB all values, as many as take a process 2 s of
  /// computing in all: what HDF5 can trip over in a damaged file (hdf5/rehearsal.hpp).
  void try_out(const hdf5::Task& task);

 private:
  const hdf5::ObjectHandle& object(const StoredArray& array, const hdf5::Task& task);
  void require_promised_axes(const StoredArray& array, const SpaceAxes& axes, const hdf5::Task& task) const;
  void read_one(const hdf5::ObjectHandle& object, const StoredArray& array, const SpaceAxes& axes,
                const std::vector<std::int64_t>& every, std::int64_t first, std::int64_t step, const Tensor& out,
                const hdf5::Task& task) const;
};

}  // namespace locum::io
