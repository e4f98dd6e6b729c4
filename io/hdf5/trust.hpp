#pragma once
// Internal to locum::io: what a file from elsewhere may claim before anything is allocated for it.
#include <cstdint>

#include "hdf5.hpp"

namespace locum::io::hdf5 {

/// The most bytes of values the file that `object` is in can hold: 1032 times its size, what deflate compresses zeros
/// by, and 64 MiB for values that are stored nowhere because they all are the fill value.
std::uint64_t largest_content(hid_t object, const Task& task);

/// Refuses a dataset whose values lie in other files (virtual, external), or that this HDF5 cannot or should not read:
/// filters that are not installed, chunks of more than 1 GiB, more values than largest_content(), values that are
/// neither stored nor filled in.
/// @throws DataError  saying which, and what to do
void refuse_untrustworthy(const ObjectHandle& dataset, const Task& task);

/// Refuses an attribute of `object` of so many values that the file cannot hold them; of texts of variable length, of
/// which many can share their characters in the file but not in memory, more than 256.
/// @throws DataError
void refuse_list(hid_t object, std::size_t count, hid_t type, const Task& task);

/// Whether `type` is one of the usual formats of whole and real numbers. HDF5 can describe others, bit by bit, and its
/// conversions have read beyond their buffers for some.
bool is_usual_number(hid_t type);

/// `extents` as int64.
/// @throws DataError  if there are no values at all (a null dataspace), or their number does not fit
std::vector<std::int64_t> extents_of(hid_t space, const Task& task);

}  // namespace locum::io::hdf5
