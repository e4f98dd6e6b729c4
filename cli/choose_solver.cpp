#include "choose_solver.hpp"

#include <fmt/ranges.h>
#include <locum/io/batches/windows.hpp>
#include <locum/operators/rollout.hpp>
#include <locum/solvers/reference/registry.hpp>

namespace locum::cli {

using operators::Surrogate;
namespace fs = std::filesystem;

/// The surrogate that `--with` names.
static Surrogate load_surrogate(const Case& c, const std::string& with)
{
  const fs::path path = fs::is_directory(with) ? fs::path(with) / "best.h5" : fs::path(with);
  if (!fs::exists(path))
    throw SystemError({.doing = "choosing the solver",
                       .where = "--with " + with,
                       .found = fmt::format("no file {}", path.string()),
                       .expected = "reference, a checkpoint, or the folder of a run with a trained surrogate in it",
                       .advice = "`locum train` first, or --with reference"});
  Surrogate surrogate = Surrogate::load(path);
  const auto inputs = operators::fields_of(surrogate.inputs()), outputs = operators::fields_of(surrogate.outputs());
  const bool fits =
      c.steady() ? outputs == c.equation->outputs()
                 : outputs.size() == inputs.size() && io::field_and_step(outputs.front()).first == inputs.front();
  if (inputs != c.equation->inputs() || !fits)
    throw OptionError(
        {.doing = "choosing the solver",
         .where = path.string(),
         .found = fmt::format("a surrogate from {} to {}", fmt::join(inputs, ", "), fmt::join(outputs, ", ")),
         .expected = fmt::format("{} to {}, the fields of equation {}", fmt::join(c.equation->inputs(), ", "),
                                 fmt::join(c.equation->outputs(), ", "), c.equation->name()),
         .advice = fmt::format("a surrogate trained on that equation; `locum info {}`", path.string())});
  surrogate.to(operators::find_device(c.training.device));
  return surrogate;
}

std::unique_ptr<SteadySolver> choose_steady(const Communicator& ranks, const Case& c, const std::string& with)
{
  if (with == "reference") return solvers::make_reference_solver(*c.steady(), ranks, c.petsc);
  return std::make_unique<Surrogate>(load_surrogate(c, with));
}

std::unique_ptr<EvolvingSolver> choose_evolving(const Communicator& ranks, const Case& c, const std::string& with)
{
  if (with == "reference") return solvers::make_reference_solver(*c.evolving(), c.stepping, ranks);
  return std::make_unique<operators::EvolvingSurrogate>(load_surrogate(c, with));
}

}  // namespace locum::cli
