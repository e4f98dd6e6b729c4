#pragma once
#include <locum/core/sample.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace locum::cli {

/// The first `count` samples of a dataset (0: all), the named fields, checked to be finite.
/// @param option  that names the file: "data.train"
/// @throws SystemError  if there is no such file
/// @throws DataError    naming file, field and position of what is missing or not finite.
Sample read_samples(const std::filesystem::path& file, const std::string& option,
                    const std::vector<std::string>& fields, std::int64_t count, const std::string& doing);

}  // namespace locum::cli
