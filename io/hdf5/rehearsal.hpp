#pragma once
// Internal to locum::io: HDF5 tried out where its faults cost nothing. Its parser of tables of contents crashes on some
// damaged files, and does not come to an end with others, before any check of ours sees what is in them.
#include <cstdint>
#include <functional>

#include "hdf5.hpp"

namespace locum::io::hdf5 {

/// Does `work` in a child process first, with limits of computing time (5 s, and one for each MiB), of time (twelve
/// times that) and of memory (4 GiB, and four times `bytes`). What it throws there is not looked at: it will throw it
/// here too.
///
/// The child has none of this process's threads, and must not communicate or write. Where the system makes no child
/// there is no rehearsal.
/// @param bytes  the size of what is read
/// @throws DataError  if the child was ended by a signal or a limit, naming it
void rehearse(const Task& task, std::uintmax_t bytes, const std::function<void()>& work);

}  // namespace locum::io::hdf5
