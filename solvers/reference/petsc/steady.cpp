#include "../registry.hpp"

#include <locum/core/error.hpp>

#include "diffusion.hpp"
#include "finite_elements.hpp"
#include "flow.hpp"
#include "tensile_plate.hpp"

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
  if (const auto* on_mesh = dynamic_cast<const physics::MeshEquation*>(&equation))
    return std::make_unique<FiniteElementSolver>(*on_mesh, ranks, petsc_options);
  if (const auto* plate = dynamic_cast<const physics::TensilePlate*>(&equation))
    return std::make_unique<TensilePlateSolver>(*plate, ranks, petsc_options);
  throw OptionError({.doing = "looking up the reference solver",
                     .where = "equation " + equation.name(),
                     .found = "an equation without one",
                     .expected = "diffusion, incompressible flow, or an equation on meshes",
                     .advice = ""});
}

}  // namespace locum::solvers
