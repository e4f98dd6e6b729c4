#pragma once
#include <locum/core/sample.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace locum::cli {

/// The first `count` samples of a dataset (0: all), the named fields, checked to be finite.
/// @throws DataError  naming file, field and position of what is missing or not finite.
Sample read_samples(const std::filesystem::path& file, const std::vector<std::string>& fields, std::int64_t count,
                    const std::string& doing);

}  // namespace locum::cli
