#include "data.hpp"

#include <locum/core/error.hpp>
#include <locum/io/dataset.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace locum::cli {

Sample read_samples(const std::filesystem::path& file, const std::string& option,
                    const std::vector<std::string>& fields, std::int64_t count, const std::string& doing)
{
  if (!std::filesystem::exists(file))
    throw SystemError({.doing = doing,
                       .where = file.string(),
                       .found = "no such file",
                       .expected = fmt::format("an HDF5 file with {}", fmt::join(fields, ", ")),
                       .advice = fmt::format("`locum generate` first, or --set {}=FILE", option)});
  const auto dataset = io::open_dataset(file);
  if (dataset->size() == 0 || count > dataset->size())
    throw DataError({.doing = doing,
                     .where = file.string(),
                     .found = fmt::format("{} samples", dataset->size()),
                     .expected = fmt::format("at least {}", std::max<std::int64_t>(count, 1)),
                     .advice = count == 0 ? "another file" : "data.samples = 0 for all there are"});
  Sample samples = dataset->read(fields, 0, count == 0 ? dataset->size() : count);
  check_finite(samples, doing, file.string());
  return samples;
}

}  // namespace locum::cli
