#include <locum/core/agree.hpp>
#include <locum/io/dataset.hpp>
#include <locum/io/ensemble.hpp>
#include <locum/io/paraview.hpp>
#include <locum/operators/training/trainer.hpp>
#include <locum/solvers/reference/registry.hpp>

#include <fmt/ranges.h>

#include <chrono>

#include "data.hpp"
#include "verbs.hpp"

namespace locum::cli {

using operators::Surrogate;
namespace fs = std::filesystem;

static std::unique_ptr<SteadySolver> choose(const Communicator& ranks, const Case& c, const std::string& with)
{
  if (with == "reference") return solvers::make_reference_solver(*c.equation, ranks, c.petsc);
  const fs::path path = fs::is_directory(with) ? fs::path(with) / "best.h5" : fs::path(with);
  if (!fs::exists(path))
    throw SystemError({.doing = "choosing the solver",
                       .where = "--with " + with,
                       .found = fmt::format("no file {}", path.string()),
                       .expected = "reference, a checkpoint, or the folder of a run with a trained surrogate in it",
                       .advice = "`locum train` first, or --with reference"});
  auto surrogate = std::make_unique<Surrogate>(Surrogate::load(path));
  const auto inputs = operators::fields_of(surrogate->inputs()), outputs = operators::fields_of(surrogate->outputs());
  if (inputs != c.equation->inputs() || outputs != c.equation->outputs())
    throw OptionError(
        {.doing = "choosing the solver",
         .where = path.string(),
         .found = fmt::format("a surrogate from {} to {}", fmt::join(inputs, ", "), fmt::join(outputs, ", ")),
         .expected = fmt::format("{} to {}, the fields of equation {}", fmt::join(c.equation->inputs(), ", "),
                                 fmt::join(c.equation->outputs(), ", "), c.equation->name()),
         .advice = fmt::format("a surrogate trained on that equation; `locum info {}`", path.string())});
  surrogate->to(operators::find_device(c.training.device));
  return surrogate;
}

static Sample read_problem(const Case& c, const SolveRequest& request)
{
  if (request.input.empty())
    return c.equation->draw(c.equation->grid(request.cells.empty() ? c.generate.cells : request.cells),
                            static_cast<std::uint64_t>(c.generate.seed + 1), request.sample, request.samples);
  Sample problem =
      io::open_dataset(request.input)->read(c.equation->inputs(), request.sample, request.samples).to(torch::kFloat64);
  check_finite(problem, "reading the problem", request.input.string(), request.sample);
  return problem;
}

void solve(const Communicator& ranks, const Case& c, const RunFolder& folder, const SolveRequest& request)
{
  if (!c.equation)
    throw OptionError({.doing = "solving",
                       .where = "[equation]",
                       .found = "no equation",
                       .expected = "equation.name",
                       .advice = "a case with an equation: `locum list`"});
  Sample problem;
  std::unique_ptr<SteadySolver> solver;
  agree(ranks, [&] { problem = read_problem(c, request); });
  agree(ranks, [&] { solver = choose(ranks, c, request.with); });  // makes no collective call yet

  const auto timed = [&](SteadySolver& with) {
    const auto start = std::chrono::steady_clock::now();
    Sample solution = with.solve(problem);
    return std::pair{std::move(solution),
                     std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()};
  };
  const auto report = [&](const std::string& description, const Sample& solution, double seconds) {
    const Tensor residual = c.equation->residual(problem, solution.to(torch::kFloat64));
    const double relative = (residual.norm() / c.equation->forcing(problem).norm()).item<double>();
    folder.log->info("{}: {:.3g} ms with set-up, relative residual {:.3g}", description, 1e3 * seconds, relative);
    return residual;
  };

  Sample shown = problem;
  const auto [solution, seconds] = timed(*solver);
  const Tensor residual = report(solver->description(), solution, seconds);
  shown.merge(solution);
  shown.fields["residual"] = {.values = residual, .unit = "1"};
  if (request.compare) {
    const auto reference = choose(ranks, c, "reference");
    const auto [truth, reference_seconds] = timed(*reference);
    report(reference->description(), truth, reference_seconds);
    for (const auto& [name, field] : truth.fields) {
      const Tensor predicted = solution.field(name).values;
      shown.fields[name + "_reference"] = field;
      shown.fields[name + "_error"] = {.values = predicted - field.values, .unit = field.unit};
      folder.log->info("{}: relative L2 error {:.4g}", name,
                       operators::errors_of(operators::Loss::relative_l2, predicted, field.values).mean().item<double>());
    }
  }
  agree(ranks, [&] {
    if (!ranks.is_root() || !io::paraview_available()) return;
    const fs::path paraview = folder.path / "paraview";
    const auto file = request.samples == 1
                          ? io::write_paraview(paraview / fmt::format("solve_{:04}", request.sample), shown)
                          : io::write_paraview(paraview / fmt::format("ensemble_{:04}", request.sample),
                                               io::summarise(shown));
    folder.log->info("{}", file.string());
  });
}

}  // namespace locum::cli
