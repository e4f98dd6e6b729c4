#include "../registry.hpp"

#include <locum/core/error.hpp>

#include "darcy.hpp"
#include "finite_elements.hpp"
#include "tensile_plate.hpp"

namespace locum::solvers {

bool petsc_available() { return true; }

std::unique_ptr<SteadySolver> make_reference_solver(const physics::SteadyEquation& equation, const Communicator& ranks,
                                                    const std::map<std::string, std::string>& petsc_options)
{
  if (const auto* darcy = dynamic_cast<const physics::Darcy*>(&equation))
    return std::make_unique<DarcySolver>(*darcy, ranks, petsc_options);
  if (const auto* on_mesh = dynamic_cast<const physics::MeshEquation*>(&equation))
    return std::make_unique<FiniteElementSolver>(*on_mesh, ranks, petsc_options);
  if (const auto* plate = dynamic_cast<const physics::TensilePlate*>(&equation))
    return std::make_unique<TensilePlateSolver>(*plate, ranks, petsc_options);
  throw OptionError({.doing = "looking up the reference solver",
                     .where = "equation " + equation.name(),
                     .found = "an equation without one",
                     .expected = "darcy, tensile_plate, or one on meshes",
                     .advice = ""});
}

}  // namespace locum::solvers
