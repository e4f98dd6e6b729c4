#pragma once
#include <chrono>
#include <filesystem>
#include <functional>

namespace locum::io {

/// Looks at a file from a stranger in a copy of this process, which may crash, hang or ask for memory in our stead:
/// HDF5 is not made for files that mean harm, and we call it only after the checks that we can make ourselves.
///
/// Whatever `look` finds out is lost with the copy; errors it throws are left to who looks again. Not collective. Not
/// while another thread is in HDF5.
/// @param look   for example: opens the dataset, reads its first sample
/// @param limit  for how long; memory is limited to 4 GiB more than there is now
/// @throws DataError  if the copy dies, or is not done in time
void in_quarantine(const std::filesystem::path& file, const std::function<void()>& look,
                   std::chrono::seconds limit = std::chrono::seconds(10));

}  // namespace locum::io
