#include "registry.hpp"

namespace locum::solvers {

SteppingOptions read_stepping(const physics::EvolvingEquation& equation, OptionReader& options,
                              const std::string& section)
{
  SteppingOptions stepping;
  if (dynamic_cast<const physics::OrdinaryEquation*>(&equation)) stepping = RungeKuttaOptions();
  if (dynamic_cast<const physics::ConservationLaw*>(&equation)) stepping = FiniteVolumeOptions();
  if (dynamic_cast<const physics::ReactionDiffusion*>(&equation)) stepping = ImplicitExplicitOptions();
  if (dynamic_cast<const physics::UnsteadyChannelFlow*>(&equation)) stepping = ProjectionOptions();
  std::visit([&](auto& own) { options.read(section, own); }, stepping);
  return stepping;
}

bool has_reference_solver(const physics::EvolvingEquation& equation)
{
  return petsc_available() || !(dynamic_cast<const physics::ReactionDiffusion*>(&equation) ||
                                dynamic_cast<const physics::UnsteadyChannelFlow*>(&equation));
}

std::unique_ptr<EvolvingSolver> make_reference_solver(const physics::EvolvingEquation& equation,
                                                      const SteppingOptions& options, const Communicator& ranks,
                                                      const std::map<std::string, std::string>& petsc)
{
  if (const auto* own = std::get_if<RungeKuttaOptions>(&options))
    return std::make_unique<RungeKuttaSolver>(dynamic_cast<const physics::OrdinaryEquation&>(equation), *own);
  if (const auto* own = std::get_if<FiniteVolumeOptions>(&options))
    return std::make_unique<FiniteVolumeSolver>(dynamic_cast<const physics::ConservationLaw&>(equation), *own, ranks);
  if (const auto* own = std::get_if<ImplicitExplicitOptions>(&options))
    return make_reaction_diffusion_solver(dynamic_cast<const physics::ReactionDiffusion&>(equation), *own, ranks,
                                          petsc);
  if (const auto* own = std::get_if<ProjectionOptions>(&options))
    return make_unsteady_flow_solver(dynamic_cast<const physics::UnsteadyChannelFlow&>(equation), *own, ranks, petsc);
  return std::make_unique<PeriodicSolver>(dynamic_cast<const physics::PeriodicEquation&>(equation),
                                          std::get<PeriodicSolverOptions>(options), ranks);
}

}  // namespace locum::solvers
