#pragma once
#include <locum/core/communicator.hpp>
#include <locum/core/solver.hpp>
#include <locum/physics/equation.hpp>

#include <map>
#include <memory>
#include <string>

namespace locum::solvers {

/// Whether this build has reference solvers.
bool reference_available();

/// The reference solver of an equation. Needs a living PetscSession.
/// @param ranks          who shares each solve
/// @param petsc_options  without the leading dash; they replace the solver's defaults
/// @throws OptionError   if there is none for this equation, or the build is without PETSc.
std::unique_ptr<SteadySolver> make_reference_solver(const physics::SteadyEquation& equation, const Communicator& ranks,
                                                    const std::map<std::string, std::string>& petsc_options);

}  // namespace locum::solvers
