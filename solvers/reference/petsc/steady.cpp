#include "../registry.hpp"

#include <locum/core/error.hpp>

#include "diffusion.hpp"
#include "flow.hpp"

namespace locum::solvers {

bool petsc_available() { return true; }

std::unique_ptr<DiscreteSolver> make_reference_solver(const physics::SteadyEquation& equation,
                                                      const Communicator& ranks,
                                                      const std::map<std::string, std::string>& petsc_options)
{
  if (const auto* diffusion = dynamic_cast<const physics::Diffusion*>(&equation))
    return std::make_unique<DiffusionSolver>(*diffusion, ranks, petsc_options);
  if (const auto* flow = dynamic_cast<const physics::IncompressibleFlow*>(&equation))
    return std::make_unique<FlowSolver>(*flow, ranks, petsc_options);
  throw OptionError({.doing = "looking up the reference solver",
                     .where = "equation " + equation.name(),
                     .found = "an equation without one",
                     .expected = "diffusion or incompressible flow",
                     .advice = ""});
}

}  // namespace locum::solvers
