#include "registry.hpp"

namespace locum::solvers {

SteppingOptions read_stepping(const physics::EvolvingEquation& equation, OptionReader& options,
                              const std::string& section)
{
  SteppingOptions stepping;
  if (dynamic_cast<const physics::OrdinaryEquation*>(&equation)) stepping = RungeKuttaOptions();
  std::visit([&](auto& own) { options.read(section, own); }, stepping);
  return stepping;
}

std::unique_ptr<EvolvingSolver> make_reference_solver(const physics::EvolvingEquation& equation,
                                                      const SteppingOptions& options, const Communicator& ranks)
{
  if (const auto* own = std::get_if<RungeKuttaOptions>(&options))
    return std::make_unique<RungeKuttaSolver>(dynamic_cast<const physics::OrdinaryEquation&>(equation), *own);
  return std::make_unique<PeriodicSolver>(dynamic_cast<const physics::PeriodicEquation&>(equation),
                                          std::get<PeriodicSolverOptions>(options), ranks);
}

}  // namespace locum::solvers
