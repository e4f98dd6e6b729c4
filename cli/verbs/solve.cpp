#include <locum/core/agree.hpp>
#include <locum/io/batches/windows.hpp>
#include <locum/io/datasets/dataset.hpp>
#include <locum/io/datasets/ensemble.hpp>
#include <locum/io/datasets/mesh_dataset.hpp>
#include <locum/io/meshes/gmsh.hpp>
#include <locum/io/paraview/paraview.hpp>
#include <locum/operators/rollout.hpp>
#include <locum/operators/training/trainer.hpp>
#include <locum/physics/finite_elements/mesh_equation.hpp>
#include <locum/solvers/reference/registry.hpp>

#include <fmt/ranges.h>

#include <chrono>

#include "../choose_solver.hpp"
#include "../data.hpp"
#include "verbs.hpp"

namespace locum::cli {

using operators::Surrogate;
namespace fs = std::filesystem;

static Sample read_problem(const Case& c, const SolveRequest& request)
{
  if (request.input.empty())
    return c.equation->draw(c.equation->grid(request.cells.empty() ? c.generate.cells : request.cells),
                            static_cast<std::uint64_t>(c.generate.seed + 1), request.sample, request.samples);
  if (const auto* on_meshes = dynamic_cast<const physics::MeshEquation*>(c.equation.get())) {
    if (io::is_mesh_dataset(request.input))
      return io::MeshDataset(request.input).read(request.sample).to(torch::kFloat64);
    return on_meshes->draw_on(io::read_gmsh(request.input), static_cast<std::uint64_t>(c.generate.seed + 1),
                              request.sample, request.samples);
  }
  Sample problem =
      io::open_dataset(request.input)->read(c.equation->inputs(), request.sample, request.samples).to(torch::kFloat64);
  check_finite(problem, "reading the problem", request.input.string(), request.sample);
  return problem;
}

/// Result and seconds of some work.
template <class Work>
static auto timed(const Work& work)
{
  const auto start = std::chrono::steady_clock::now();
  auto result = work();
  return std::pair{std::move(result), std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()};
}

static void solve_steady(const Communicator& ranks, const Case& c, const RunFolder& folder, const SolveRequest& request)
{
  Sample problem;
  std::unique_ptr<SteadySolver> solver;
  agree(ranks, [&] { problem = read_problem(c, request); });
  agree(ranks, [&] { solver = choose_steady(ranks, c, request.with); });  // makes no collective call yet

  const auto report = [&](const std::string& description, const Sample& solution, double seconds) {
    const Tensor residual = c.steady()->residual(problem, solution.to(torch::kFloat64));
    const double relative = (residual.norm() / c.steady()->forcing(problem).norm()).item<double>();
    folder.log->info("{}: {:.3g} ms with set-up, relative residual {:.3g}", description, 1e3 * seconds, relative);
    return residual;
  };

  Sample shown = problem;
  const auto [solution, seconds] = timed([&] { return solver->solve(problem); });
  const Tensor residual = report(solver->description(), solution, seconds);
  shown.merge(solution);
  shown.fields["residual"] = {.values = residual, .unit = "1"};
  if (request.compare) {
    const auto reference = choose_steady(ranks, c, "reference");
    const auto [truth, reference_seconds] = timed([&] { return reference->solve(problem); });
    report(reference->description(), truth, reference_seconds);
    for (const auto& [name, field] : truth.fields) {
      if (!solution.fields.contains(name)) continue;  // what only the reference solver knows
      Tensor predicted = solution.field(name).values, known = field.values;
      shown.fields[name + "_reference"] = field;
      shown.fields[name + "_error"] = {.values = predicted - field.values, .unit = field.unit};
      operators::leave_out_missing(predicted, known);
      folder.log->info("{}: relative L2 error {:.4g}", name,
                       operators::errors_of(operators::Loss::relative_l2, predicted, known).mean().item<double>());
    }
  }
  agree(ranks, [&] {
    if (!ranks.is_root() || !io::paraview_available()) return;
    const fs::path paraview = folder.path / "paraview";
    const auto file =
        request.samples == 1
            ? io::write_paraview(paraview / fmt::format("solve_{:04}", request.sample), shown)
            : io::write_paraview(paraview / fmt::format("ensemble_{:04}", request.sample), io::summarise(shown));
    folder.log->info("{}", file.string());
  });
}

/// States of a trajectory from the problem on, generate.interval from one to the next.
static std::vector<Sample> trajectory(const Case& c, EvolvingSolver& solver, const Sample& initial)
{
  std::vector<Sample> states = {initial};
  for (std::int64_t i = 0; i < c.trajectory.intervals; ++i)
    states.push_back(solver.advance(states.back(), c.trajectory.interval));
  return states;
}

static void solve_evolving(const Communicator& ranks, const Case& c, const RunFolder& folder,
                           const SolveRequest& request)
{
  // All ranks do the same, but where the reference solver shares a state among them.
  Sample initial;
  std::unique_ptr<EvolvingSolver> solver, reference;
  agree(ranks, [&] {
    initial = read_problem(c, request);
    solver = choose_evolving(ranks, c, request.with);
    if (request.compare || (request.input.empty() && c.trajectory.spin_up > 0))
      reference = choose_evolving(ranks, c, "reference");
  });
  if (request.input.empty() && c.trajectory.spin_up > 0) initial = reference->advance(initial, c.trajectory.spin_up);

  const auto [states, seconds] = timed([&] { return trajectory(c, *solver, initial); });
  folder.log->info("{}: {} intervals of {} in {:.3g} ms", solver->description(), c.trajectory.intervals,
                   c.trajectory.interval, 1e3 * seconds);
  std::vector<Sample> truth;
  if (request.compare) {
    auto [exact, reference_seconds] = timed([&] { return trajectory(c, *reference, initial); });
    folder.log->info("{}: {:.3g} ms", reference->description(), 1e3 * reference_seconds);
    truth = std::move(exact);
    for (std::size_t step = 1; step < truth.size(); ++step) {
      const auto fields = c.evolving()->state();
      const Tensor errors = operators::errors_of(operators::Loss::relative_l2, stack_channels(states[step], fields),
                                                 stack_channels(truth[step], fields));
      folder.log->info("time {:.4g}: relative L2 error {:.4g}", truth[step].time - initial.time,
                       errors.mean().item<double>());
    }
  }
  agree(ranks, [&, &states = states] {
    if (!ranks.is_root() || !io::paraview_available()) return;
    const fs::path file = folder.path / "paraview" /
                          fmt::format("{}_{:04}.pvd", request.samples == 1 ? "solve" : "ensemble", request.sample);
    io::ParaviewSeries series(file);
    for (std::size_t step = 0; step < states.size(); ++step) {
      Sample shown = states[step];
      if (!truth.empty())
        for (const auto& [name, field] : truth[step].fields) {
          shown.fields[name + "_reference"] = field;
          shown.fields[name + "_error"] = {.values = states[step].field(name).values - field.values,
                                           .unit = field.unit};
        }
      series.add(states[step].time - initial.time, request.samples == 1 ? shown : io::summarise(shown));
    }
    folder.log->info("{}", file.string());
  });
}

void solve(const Communicator& ranks, const Case& c, const RunFolder& folder, const SolveRequest& request)
{
  if (!c.equation)
    throw OptionError({.doing = "solving",
                       .where = "[equation]",
                       .found = "no equation",
                       .expected = "equation.name",
                       .advice = "a case with an equation: `locum list`"});
  if (c.steady()) solve_steady(ranks, c, folder, request);
  else solve_evolving(ranks, c, folder, request);
}

}  // namespace locum::cli
