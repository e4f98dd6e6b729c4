#include <locum/assimilation/registry.hpp>
#include <locum/operators/registry.hpp>
#include <locum/physics/registry.hpp>
#include <locum/solvers/reference/registry.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "verbs.hpp"

namespace locum::cli {

namespace fs = std::filesystem;

/// The first heading of a case's card, without the mark.
static std::string title_of(const fs::path& folder)
{
  std::ifstream card(folder / "README.md");
  std::string line;
  std::getline(card, line);
  return line.starts_with("# ") ? line.substr(2) : "";
}

void list()
{
  fmt::print("models (model.name)\n");
  for (const auto& model : operators::models()) fmt::print("  {:<16} {}\n", model.name, model.description);
  fmt::print("equations (equation.name)\n");
  for (const auto& equation : physics::equations()) fmt::print("  {:<16} {}\n", equation.name, equation.description);
  fmt::print("solvers (solve --with)\n  {:<16} {}\n  {:<16} {}\n", "reference",
             solvers::petsc_available() ? "in finite volumes, in Fourier space, or discretised by PETSc"
                                        : "of evolving equations; others need a build with PETSc",
             "FILE or FOLDER", "a trained surrogate: a checkpoint, or the run folder it is in");
  std::vector<std::string> methods;
  for (const auto& [kind, name] : option_names(assimilation::MethodKind{})) methods.push_back(name);
  fmt::print("methods (assimilation.method)\n  {}\n", fmt::join(methods, ", "));
  fmt::print("cases (below the working directory)\n");
  std::vector<fs::path> cases;
  if (fs::is_directory("cases"))
    for (const auto& entry : fs::directory_iterator("cases"))
      if (fs::exists(entry.path() / "case.toml")) cases.push_back(entry.path());
  std::sort(cases.begin(), cases.end());
  for (const fs::path& folder : cases) fmt::print("  {:<16} {}\n", folder.string(), title_of(folder));
}

}  // namespace locum::cli
