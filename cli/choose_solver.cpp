#include "choose_solver.hpp"

#include <fmt/ranges.h>
#include <locum/io/batches/windows.hpp>
#include <locum/operators/ensemble.hpp>
#include <locum/operators/rollout.hpp>
#include <locum/solvers/reference/registry.hpp>

namespace locum::cli {

using operators::Surrogate;
using operators::SurrogateEnsemble;
namespace fs = std::filesystem;

fs::path surrogate_file(const fs::path& path) { return fs::is_directory(path) ? path / "best.h5" : path; }

/// The surrogate, or all members, that `--with` names.
static SurrogateEnsemble load_surrogates(const Case& c, const std::string& with)
{
  std::vector<fs::path> files;
  for (int i = 0; fs::exists(fs::path(with) / "members" / std::to_string(i) / "best.h5"); ++i)
    files.push_back(fs::path(with) / "members" / std::to_string(i) / "best.h5");
  if (files.empty()) files.push_back(surrogate_file(with));
  const fs::path& path = files.front();
  if (!fs::exists(path))
    throw SystemError({.doing = "choosing the solver",
                       .where = "--with " + with,
                       .found = fmt::format("no file {}", path.string()),
                       .expected = "reference, a checkpoint, or the folder of a run with a trained surrogate in it",
                       .advice = "`locum train` first, or --with reference"});
  auto surrogates = SurrogateEnsemble::load(files);
  const Surrogate& surrogate = surrogates.members().front();
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
  surrogates.to(operators::find_device(c.training.device));
  return surrogates;
}

std::unique_ptr<SteadySolver> choose_steady(const Communicator& ranks, const Case& c, const std::string& with)
{
  if (with == "reference") return solvers::make_reference_solver(*c.steady(), ranks, c.petsc);
  return std::make_unique<SurrogateEnsemble>(load_surrogates(c, with));
}

std::unique_ptr<EvolvingSolver> choose_evolving(const Communicator& ranks, const Case& c, const std::string& with)
{
  if (with == "reference") return solvers::make_reference_solver(*c.evolving(), c.stepping, ranks, c.petsc);
  auto surrogates = load_surrogates(c, with);
  if (surrogates.members().size() > 1)
    throw OptionError({.doing = "choosing the solver",
                       .where = "--with " + with,
                       .found = fmt::format("{} members", surrogates.members().size()),
                       .expected = "one, to go from state to state",
                       .advice = fmt::format("--with {}/members/0; `locum evaluate` rolls all of them out", with)});
  return std::make_unique<operators::EvolvingSurrogate>(std::move(surrogates.members().front()));
}

}  // namespace locum::cli
