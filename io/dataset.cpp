#include "dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <locum/core/error.hpp>

#include "hdf5.hpp"
#include "plain_arrays.hpp"
#include "the_well.hpp"

namespace locum::io {

Sample Dataset::read(const std::vector<std::string>& fields, std::int64_t first, std::int64_t count,
                     std::int64_t step) const
{
  const hdf5::Quiet quiet;
  if (first < 0 || count < 0 || first > size() - count)
    throw DataError({.doing = "reading samples",
                     .where = file_.string(),
                     .found = fmt::format("a request for {} samples from sample {} on", count, first),
                     .expected = fmt::format("some of its {} samples, numbered from 0", size()),
                     .advice = fmt::format("`locum info {}`", file_.string())});
  if (step < 0 || step >= steps())
    throw DataError({.doing = "reading samples",
                     .where = file_.string(),
                     .found = fmt::format("a request for step {}", step),
                     .expected = fmt::format("one of its {} steps, numbered from 0", steps()),
                     .advice = fmt::format("`locum info {}`", file_.string())});
  return load(fields, first, count, step);
}

void Dataset::refuse_field(const std::string& name) const
{
  std::vector<std::string> names;
  for (const FieldDescription& field : fields()) names.push_back(field.name);
  const auto nearest = nearest_name(name, names);
  const std::string info = fmt::format("`locum info {}`", file_.string());
  throw DataError({.doing = "reading samples",
                   .where = file_.string(),
                   .found = fmt::format("no field \"{}\"", name),
                   .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                   .advice = nearest.empty() ? info : fmt::format("\"{}\", or {}", nearest, info)});
}

std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& path)
{
  const hdf5::Quiet quiet;
  const hdf5::Task task{.doing = "opening the dataset", .where = path.string()};
  auto file = hdf5::open_file(path, task.doing);
  if (is_the_well(file, task)) return std::make_unique<TheWell>(path, std::move(file), task);
  return std::make_unique<PlainArrays>(path, std::move(file), task);
}

}  // namespace locum::io
