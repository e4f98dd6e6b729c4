#include <locum/solvers/generate.hpp>

#include <locum/core/error.hpp>
#include <locum/io/logs/metrics.hpp>
#include <locum/solvers/reference/registry.hpp>

#include <fmt/ranges.h>

#include <chrono>

#include "verbs.hpp"

namespace locum::cli {

void generate(const Communicator& ranks, const Case& c, const RunFolder& folder)
{
  if (!c.equation)
    throw OptionError({.doing = "generating data",
                       .where = "[equation]",
                       .found = "no equation",
                       .expected = "equation.name",
                       .advice = "--set data.train=FILE --set data.test=FILE to train on data you have"});
  const auto start = std::chrono::steady_clock::now();
  std::unique_ptr<SteadySolver> steady;
  std::unique_ptr<EvolvingSolver> evolving;
  if (c.steady()) steady = solvers::make_reference_solver(*c.steady(), Communicator(), c.petsc);
  else evolving = solvers::make_reference_solver(*c.evolving(), c.stepping, {}, c.petsc);
  const Solver& solver = steady ? static_cast<Solver&>(*steady) : *evolving;
  const std::map<std::string, std::string> provenance = {
      {"equation", c.section("equation")},
      {"solver", solver.description()},
      {"solver_options", (steady ? "" : c.section("solver")) + c.section("solver.petsc")},
      {"version", LOCUM_VERSION}};

  const auto make = [&](const std::filesystem::path& file, std::int64_t samples, std::int64_t seed) {
    const solvers::Draws draws{
        .samples = samples, .grid = c.equation->grid(c.generate.cells), .seed = static_cast<std::uint64_t>(seed)};
    auto made_with = provenance;
    made_with["draws"] =
        fmt::format("samples = {}\ncells = [{}]\nseed = {}\n", samples, fmt::join(c.generate.cells, ", "), seed);
    if (steady) return solvers::generate(ranks, *c.steady(), *steady, draws, file, made_with, folder.log);
    made_with["trajectories"] =
        fmt::format("spin_up = {}\ninterval = {}\nintervals = {}\nevery = {}\n", c.trajectory.spin_up,
                    c.trajectory.interval, c.trajectory.intervals, c.trajectory.every);
    return solvers::generate(ranks, *c.evolving(), *evolving, draws, c.trajectory, file, made_with, folder.log);
  };
  const bool done = std::filesystem::exists(folder.train_data(c)) && std::filesystem::exists(folder.test_data(c));
  make(folder.path / "data" / "train.h5", c.generate.samples, c.generate.seed);
  make(folder.path / "data" / "test.h5", c.generate.test_samples, c.generate.seed + 1);
  if (ranks.is_root() && !done)
    io::add_to_summary(
        folder.summary(),
        {{"seconds_generating", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()}});
}

}  // namespace locum::cli
