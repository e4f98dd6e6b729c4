// Stands in for the solvers of steady equations in a build without PETSc.
#include <locum/core/error.hpp>

#include "../registry.hpp"
#include "petsc.hpp"

namespace locum::solvers {

PetscSession::PetscSession(const Communicator&) {}
PetscSession::~PetscSession() = default;

bool petsc_available() { return false; }

std::unique_ptr<DiscreteSolver> make_reference_solver(const physics::SteadyEquation& equation, const Communicator&,
                                                      const std::map<std::string, std::string>&)
{
  throw OptionError({.doing = "looking up the reference solver",
                     .where = "equation " + equation.name(),
                     .found = "a build without PETSc",
                     .expected = "one with it",
                     .advice = "install petsc-dev, then cmake --preset release -DLOCUM_PETSC=ON and build again"});
}

}  // namespace locum::solvers
