#include "generate.hpp"

#include <locum/core/agree.hpp>
#include <locum/core/options.hpp>
#include <locum/core/progress.hpp>
#include <locum/io/atomic_file.hpp>
#include <locum/io/datasets/dataset.hpp>
#include <locum/io/datasets/dataset_writer.hpp>
#include <locum/io/datasets/mesh_dataset.hpp>
#include <locum/io/paraview/paraview.hpp>
#include <locum/physics/finite_elements/mesh_equation.hpp>

#include <functional>
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

void refuse_other_provenance(const fs::path& file, const Provenance& found, const Provenance& expected)
{
  for (const auto& [key, value] : expected) {
    const auto entry = found.find(key);
    refuse_other_options("generating a dataset", fmt::format("{}, {}", file.string(), key),
                         entry == found.end() ? "" : entry->second, value);
  }
}

void refuse_other_provenance(const fs::path& file, const Provenance& expected)
{
  refuse_other_provenance(file, io::open_dataset(file)->provenance(), expected);
}

[[noreturn]] void refuse_all_failed(const fs::path& file, const Draws& draws, const std::vector<Failure>& failures)
{
  throw SolverError({.doing = "generating a dataset",
                     .where = file.string(),
                     .found = fmt::format("all {} solves failed; the first: {}", draws.samples,
                                          failures.empty() ? "" : failures.front().reason),
                     .expected = "solutions",
                     .advice = "other options in [solver.petsc], or --petsc \"…\""});
}

void report(const Log& log, const fs::path& file, std::int64_t samples, const std::vector<Failure>& failures)
{
  log->info("{}: {} samples", file.string(), samples);
  for (const auto& [draw, reason] : failures)
    log->warn("draw {} could not be solved and is left out: {}", draw, reason);
}

/// Steps of some samples: of each, what is given and what was found.
using Steps = std::vector<Sample>;

/// What becomes of random problems, and how it is stored.
struct Work {
  const physics::Equation& equation;
  Draws draws;
  std::vector<double> times;  ///< Of the steps.
  bool evolves = false;
  std::function<Steps(const Sample& problems)> solve;  ///< @throws SolverError  if one of them cannot be solved
};

DatasetHeader header_of(const Sample& rows, const Work& work, Provenance provenance)
{
  DatasetHeader header{.name = work.equation.name(),
                       .samples = rows.batch(),
                       .grid = rows.grid(),
                       .times = work.times,
                       .fields = {},
                       .scalars = {},
                       .provenance = std::move(provenance),
                       .type = torch::kFloat32};
  for (const auto& [field, content] : rows.fields)
    header.fields.push_back(
        {.name = field, .unit = content.unit, .components = content.values.size(1), .time_varying = work.evolves});
  for (const auto& [scalar, content] : rows.scalars) header.scalars.emplace_back(scalar, content.unit);
  return header;
}

/// Solves draws first … first+count−1 and writes those that could be solved.
void write_part(const Work& work, std::int64_t first, std::int64_t count, const fs::path& file, Provenance provenance)
{
  const Sample problems = work.equation.draw(work.draws.grid, work.draws.seed, first, count);
  Steps rows;
  std::vector<Failure> failures;
  const auto solve = [&](std::int64_t begin, std::int64_t members) {
    Steps solved = work.solve(problems.members(begin, members));
    const auto draw = static_cast<double>(first + begin);
    for (Sample& step : solved)
      step.scalars["draw"] = {.values = torch::arange(draw, draw + static_cast<double>(members), torch::kFloat64)};
    if (rows.empty()) rows = std::move(solved);
    else
      for (std::size_t step = 0; step < rows.size(); ++step) rows[step].append(solved[step]);
  };
  const auto solve_alone = [&](std::int64_t i) {
    try {
      solve(i, 1);
    } catch (const SolverError& error) {
      failures.push_back({first + i, error.report().found});
    }
  };
  const auto solve_each = [&] {
    for (std::int64_t i = 0; i < count; ++i) solve_alone(i);
  };
  if (!work.evolves) solve_each();
  else {  // an ensemble, unless one of its members fails
    try {
      solve(0, count);
    } catch (const SolverError&) {
      solve_each();
    }
  }
  provenance["failed_draws"] = to_text(failures);
  if (rows.empty()) rows.assign(work.times.size(), problems.members(0, 0));
  io::DatasetWriter part(Communicator(), file, header_of(rows[0], work, std::move(provenance)));
  for (std::size_t step = 0; step < rows.size(); ++step) part.write(0, rows[step], static_cast<std::int64_t>(step));
  part.close();
}

std::int64_t generate(const Communicator& ranks, const Work& work, const fs::path& file, const Provenance& provenance,
                      const Log& log)
{
  const Draws& draws = work.draws;
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
      else write_part(work, first, std::min(part_samples, draws.samples - first), part_file(part), provenance);
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
    refuse_all_failed(file, draws, failures);
  }

  auto final_provenance = provenance;
  final_provenance["failed_draws"] = to_text(failures);
  DatasetHeader header = header_of(*example, work, final_provenance);
  header.samples = samples;
  io::DatasetWriter writer(ranks, file, header);
  agree(ranks, [&] {
    for (std::int64_t part = ranks.rank(); part < parts; part += ranks.size()) {
      const auto dataset = io::open_dataset(part_file(part));
      for (std::int64_t step = 0; dataset->size() > 0 && step < dataset->steps(); ++step)
        writer.write(first_rows[static_cast<std::size_t>(part)],
                     dataset->read(fields(*dataset), 0, dataset->size(), step), step);
    }
  });
  writer.write_xdmf();
  writer.close();  // all ranks have read the parts
  if (ranks.is_root() && fs::remove_all(folder, unknown) == static_cast<std::uintmax_t>(-1))
    log->warn("{} is complete, but {} could not be removed: {}", file.string(), folder.string(), unknown.message());
  report(log, file, samples, failures);
  return samples;
}

/// Solves draws first … first+count−1, each on a mesh of its own, and writes those that could be solved.
void write_mesh_part(const physics::MeshEquation& equation, SteadySolver& solver, const Draws& draws,
                     std::int64_t first, std::int64_t count, const fs::path& file, Provenance provenance)
{
  std::vector<Sample> samples;
  std::vector<Failure> failures;
  for (std::int64_t draw = first; draw < first + count; ++draw) try {
      Sample sample = equation.draw(draws.grid, draws.seed, draw, 1);
      sample.merge(solver.solve(sample));
      sample.scalars["draw"] = {.values = torch::full({1}, static_cast<double>(draw), torch::kFloat64)};
      samples.push_back(std::move(sample));
    } catch (const SolverError& error) {
      failures.push_back({draw, error.report().found});
    }
  provenance["failed_draws"] = to_text(failures);
  io::write_mesh_dataset(file, equation.name(), samples, provenance);
}

/// As generate() on grids, but all samples go through the memory of rank 0: what one file holds, a reader takes whole.
std::int64_t generate_on_meshes(const Communicator& ranks, const physics::MeshEquation& equation, SteadySolver& solver,
                                const Draws& draws, const fs::path& file, const Provenance& provenance, const Log& log)
{
  const fs::path folder = file.string() + ".parts";
  std::int64_t samples = 0;
  std::error_code unknown;
  if (ranks.sum(ranks.is_root() && fs::exists(file, unknown)) > 0) {
    agree(ranks, [&] {
      const io::MeshDataset dataset(file);
      refuse_other_provenance(file, dataset.provenance(), provenance);
      samples = dataset.size();
    });
    if (ranks.is_root()) fs::remove_all(folder, unknown);
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
      if (fs::exists(part_file(part)))
        refuse_other_provenance(part_file(part), io::MeshDataset(part_file(part)).provenance(), provenance);
      else
        write_mesh_part(equation, solver, draws, first, std::min(part_samples, draws.samples - first), part_file(part),
                        provenance);
      progress.update(std::min(draws.samples, (part + ranks.size()) * part_samples));
    }
  });
  std::vector<Failure> failures;
  agree(ranks, [&] {  // after all have written their parts
    if (!ranks.is_root()) return;
    std::vector<Sample> all;
    for (std::int64_t part = 0; part < parts; ++part) {
      const io::MeshDataset dataset(part_file(part));
      for (std::int64_t i = 0; i < dataset.size(); ++i) all.push_back(dataset.read(i));
      for (auto& failure : failures_from(dataset.provenance().at("failed_draws")))
        failures.push_back(std::move(failure));
    }
    if (all.empty()) {
      fs::remove_all(folder, unknown);
      refuse_all_failed(file, draws, failures);
    }
    if (io::paraview_available()) {
      constexpr std::size_t shown = 20;  // to look at: they are copies
      io::ParaviewSeries series(fs::path(file).replace_extension(".pvd"));
      for (std::size_t i = 0; i < std::min(shown, all.size()); ++i) series.add(static_cast<double>(i), all[i]);
    }
    auto final_provenance = provenance;
    final_provenance["failed_draws"] = to_text(failures);
    io::write_mesh_dataset(file, equation.name(), all, final_provenance);
    samples = static_cast<std::int64_t>(all.size());
    fs::remove_all(folder, unknown);
    report(log, file, samples, failures);
  });
  return ranks.sum(samples);
}

}  // namespace

std::int64_t generate(const Communicator& ranks, const physics::SteadyEquation& equation, SteadySolver& solver,
                      const Draws& draws, const fs::path& file, const Provenance& provenance, const Log& log)
{
  if (const auto* on_meshes = dynamic_cast<const physics::MeshEquation*>(&equation))
    return generate_on_meshes(ranks, *on_meshes, solver, draws, file, provenance, log);
  const Work work{
      .equation = equation, .draws = draws, .times = {0}, .evolves = false, .solve = [&](const Sample& problems) {
        Sample rows = problems;
        rows.merge(solver.solve(problems));
        return Steps{rows};
      }};
  return generate(ranks, work, file, provenance, log);
}

/// Each n-th point along each axis.
static Sample thinned(const Sample& sample, std::int64_t every)
{
  if (every == 1) return sample;
  Sample thin = sample;
  for (Axis& axis : std::get<Grid>(thin.domain).axes) {
    axis.points /= every;
    axis.spacing *= static_cast<double>(every);
  }
  for (auto& [name, field] : thin.fields)
    for (std::int64_t axis = 2; axis < field.values.dim(); ++axis)
      field.values = field.values.slice(axis, 0, c10::nullopt, every);
  return thin;
}

std::int64_t generate(const Communicator& ranks, const physics::EvolvingEquation& equation, EvolvingSolver& solver,
                      const Draws& draws, const Trajectory& trajectory, const fs::path& file,
                      const Provenance& provenance, const Log& log)
{
  if (trajectory.intervals < 1)
    throw OptionError({.doing = "generating trajectories",
                       .where = "generate.intervals",
                       .found = fmt::format("{}", trajectory.intervals),
                       .expected = "at least 1",
                       .advice = "intervals = 10"});
  for (const Axis& axis : draws.grid.axes)
    if (trajectory.every < 1 || axis.points % trajectory.every != 0)
      throw OptionError({.doing = "generating trajectories",
                         .where = "generate.every",
                         .found = fmt::format("{}", trajectory.every),
                         .expected = fmt::format("a divisor of {}, the points along {}", axis.points, axis.name),
                         .advice = "every = 1"});
  Work work{.equation = equation, .draws = draws, .times = {}, .evolves = true, .solve = [&](const Sample& initial) {
              Sample state = trajectory.spin_up > 0 ? solver.advance(initial, trajectory.spin_up) : initial;
              Steps steps = {thinned(state, trajectory.every)};
              for (std::int64_t i = 0; i < trajectory.intervals; ++i) {
                state = solver.advance(state, trajectory.interval);
                steps.push_back(thinned(state, trajectory.every));
              }
              return steps;
            }};
  for (std::int64_t i = 0; i <= trajectory.intervals; ++i)
    work.times.push_back(static_cast<double>(i) * trajectory.interval);
  return generate(ranks, work, file, provenance, log);
}

}  // namespace locum::solvers
