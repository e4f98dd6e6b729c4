#include "data.hpp"

#include <locum/core/error.hpp>
#include <locum/io/dataset.hpp>

#include <fmt/format.h>

namespace locum::cli {

Sample read_samples(const std::filesystem::path& file, const std::vector<std::string>& fields, std::int64_t count,
                    const std::string& doing)
{
  const auto dataset = io::open_dataset(file);
  if (dataset->size() == 0 || count > dataset->size())
    throw DataError({.doing = doing,
                     .where = file.string(),
                     .found = fmt::format("{} samples", dataset->size()),
                     .expected = fmt::format("at least {}", std::max<std::int64_t>(count, 1)),
                     .advice = ""});
  Sample samples = dataset->read(fields, 0, count == 0 ? dataset->size() : count);
  check_finite(samples, doing, file.string());
  return samples;
}

}  // namespace locum::cli
