#include "generate.hpp"

#include <locum/core/agree.hpp>
#include <locum/core/options.hpp>
#include <locum/core/progress.hpp>
#include <locum/io/atomic_file.hpp>
#include <locum/io/dataset.hpp>
#include <locum/io/dataset_writer.hpp>

#include <optional>
#include <sstream>
#include <system_error>

namespace locum::solvers {

using io::DatasetHeader;
using Provenance = std::map<std::string, std::string>;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t part_samples = 16;  // lost at most when killed; large enough that files are not the cost

struct Failure {
  std::int64_t draw;
  std::string reason;
};

/// A line each, for a file's provenance: "231 KSP_DIVERGED_ITS after 10000 iterations".
std::string to_text(const std::vector<Failure>& failures)
{
  std::string text;
  for (const auto& [draw, reason] : failures) text += fmt::format("{} {}\n", draw, reason);
  return text;
}

std::vector<Failure> failures_from(const std::string& text)
{
  std::vector<Failure> failures;
  std::istringstream lines(text);
  Failure failure{};
  while (lines >> failure.draw && std::getline(lines >> std::ws, failure.reason)) failures.push_back(failure);
  return failures;
}

void refuse_other_provenance(const fs::path& file, const Provenance& expected)
{
  const auto found = io::open_dataset(file)->provenance();
  for (const auto& [key, value] : expected) {
    const auto entry = found.find(key);
    refuse_other_options("generating a dataset", fmt::format("{}, {}", file.string(), key),
                         entry == found.end() ? "" : entry->second, value);
  }
}

DatasetHeader header_of(const Sample& rows, const std::string& name, Provenance provenance)
{
  DatasetHeader header{.name = name,
                       .samples = rows.batch(),
                       .grid = rows.grid(),
                       .times = {0},
                       .fields = {},
                       .scalars = {},
                       .provenance = std::move(provenance),
                       .type = torch::kFloat32};
  for (const auto& [field, content] : rows.fields)
    header.fields.push_back(
        {.name = field, .unit = content.unit, .components = content.values.size(1), .time_varying = false});
  for (const auto& [scalar, content] : rows.scalars) header.scalars.emplace_back(scalar, content.unit);
  return header;
}

/// Solves draws first … first+count−1 one by one and writes those that could be solved.
void write_part(const physics::SteadyEquation& equation, SteadySolver& solver, const Draws& draws, std::int64_t first,
                std::int64_t count, const fs::path& file, Provenance provenance)
{
  const Sample problems = equation.draw(draws.grid, draws.seed, first, count);
  std::optional<Sample> rows;
  std::vector<Failure> failures;
  for (std::int64_t i = 0; i < count; ++i) {
    Sample row = problems.members(i, 1);
    try {
      row.merge(solver.solve(row));
    } catch (const SolverError& error) {
      failures.push_back({first + i, error.report().found});
      continue;
    }
    row.scalars["draw"] = {.values = torch::full({1}, static_cast<double>(first + i), torch::kFloat64)};
    if (rows) rows->append(row);
    else rows = row;
  }
  provenance["failed_draws"] = to_text(failures);
  if (!rows) rows = problems.members(0, 0);
  const DatasetHeader header = header_of(*rows, equation.name(), std::move(provenance));
  io::DatasetWriter part(Communicator(), file, header);
  part.write(0, *rows);
  part.close();
}

}  // namespace

std::int64_t generate(const Communicator& ranks, const physics::SteadyEquation& equation, SteadySolver& solver,
                      const Draws& draws, const fs::path& file, const Provenance& provenance, const Log& log)
{
  const fs::path folder = file.string() + ".parts";
  std::int64_t samples = 0;
  // Rank 0 decides for all: on a network file system the others may not see the file yet, and then fail here.
  std::error_code unknown;
  const bool complete = ranks.sum(ranks.is_root() && fs::exists(file, unknown)) > 0;
  if (complete) {
    agree(ranks, [&] {
      refuse_other_provenance(file, provenance);
      samples = io::open_dataset(file)->size();
    });
    if (ranks.is_root()) fs::remove_all(folder, unknown);  // of a run killed while it did so
    return samples;
  }

  const std::int64_t parts = (draws.samples + part_samples - 1) / part_samples;
  const auto part_file = [&](std::int64_t part) { return folder / fmt::format("{:06}.h5", part); };
  Progress progress(log, fmt::format("generating {}", file.filename().string()), draws.samples, "samples");
  agree(ranks, [&] {
    std::error_code failure;
    fs::create_directories(folder, failure);
    if (failure) throw io::system_error("making the folder of unfinished parts", folder, failure.value());
    for (std::int64_t part = ranks.rank(); part < parts; part += ranks.size()) {
      const std::int64_t first = part * part_samples;
      if (fs::exists(part_file(part))) refuse_other_provenance(part_file(part), provenance);
      else
        write_part(equation, solver, draws, first, std::min(part_samples, draws.samples - first), part_file(part),
                   provenance);
      progress.update(std::min(draws.samples, (part + ranks.size()) * part_samples));
    }
  });

  std::vector<std::int64_t> first_rows;
  std::vector<Failure> failures;
  std::optional<Sample> example;
  const auto fields = [](const io::Dataset& dataset) {
    std::vector<std::string> names;
    for (const auto& field : dataset.fields()) names.push_back(field.name);
    return names;
  };
  agree(ranks, [&] {
    for (std::int64_t part = 0; part < parts; ++part) {
      const auto dataset = io::open_dataset(part_file(part));
      first_rows.push_back(samples);
      samples += dataset->size();
      for (auto& failure : failures_from(dataset->provenance().at("failed_draws")))
        failures.push_back(std::move(failure));
      if (!example && dataset->size() > 0) example = dataset->read(fields(*dataset), 0, 1);
    }
  });
  if (!example) {                                          // on all ranks alike
    if (ranks.is_root()) fs::remove_all(folder, unknown);  // no work is lost, and other options may be tried
    throw SolverError({.doing = "generating a dataset",
                       .where = file.string(),
                       .found = fmt::format("all {} solves failed; the first: {}", draws.samples,
                                            failures.empty() ? "" : failures.front().reason),
                       .expected = "solutions",
                       .advice = "other options in [solver.petsc], or --petsc \"…\""});
  }

  auto final_provenance = provenance;
  final_provenance["failed_draws"] = to_text(failures);
  DatasetHeader header = header_of(*example, equation.name(), final_provenance);
  header.samples = samples;
  io::DatasetWriter writer(ranks, file, header);
  agree(ranks, [&] {
    for (std::int64_t part = ranks.rank(); part < parts; part += ranks.size()) {
      const auto dataset = io::open_dataset(part_file(part));
      if (dataset->size() > 0)
        writer.write(first_rows[static_cast<std::size_t>(part)], dataset->read(fields(*dataset), 0, dataset->size()));
    }
  });
  writer.close();  // all ranks have read the parts
  if (ranks.is_root() && fs::remove_all(folder, unknown) == static_cast<std::uintmax_t>(-1))
    log->warn("{} is complete, but {} could not be removed: {}", file.string(), folder.string(), unknown.message());
  log->info("{}: {} samples", file.string(), samples);
  for (const auto& [draw, reason] : failures)
    log->warn("draw {} could not be solved and is left out: {}", draw, reason);
  return samples;
}

}  // namespace locum::solvers
