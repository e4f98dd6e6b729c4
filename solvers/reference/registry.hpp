#pragma once
#include <locum/core/communicator.hpp>
#include <locum/core/options.hpp>
#include <locum/core/solver.hpp>
#include <locum/physics/equation.hpp>

#include <map>
#include <memory>
#include <string>
#include <variant>

#include "discrete_solver.hpp"
#include "ordinary/runge_kutta.hpp"
#include "periodic/periodic.hpp"

namespace locum::solvers {

/// Whether this build has the reference solvers of steady equations, which stand on PETSc.
bool petsc_available();

/// The reference solver of a steady equation. Needs a living PetscSession.
/// @param equation       must outlive the solver
/// @param ranks          who shares each solve
/// @param petsc_options  without the leading dash; they replace the solver's defaults
/// @throws OptionError   if there is none for this equation, or the build is without PETSc.
std::unique_ptr<DiscreteSolver> make_reference_solver(const physics::SteadyEquation& equation,
                                                      const Communicator& ranks,
                                                      const std::map<std::string, std::string>& petsc_options);

/// What [solver] of a case says of an evolving equation.
using SteppingOptions = std::variant<PeriodicSolverOptions, RungeKuttaOptions>;

/// The options that the solver of an equation has, as `section` sets them.
SteppingOptions read_stepping(const physics::EvolvingEquation& equation, OptionReader& options,
                              const std::string& section);

/// The reference solver of an evolving equation.
/// @param equation  must outlive the solver
/// @param options   as read_stepping() made them for this equation
/// @param ranks     who shares each advance(), if the solver can: see PeriodicSolver
/// @throws OptionError  if one of them is out of range.
std::unique_ptr<EvolvingSolver> make_reference_solver(const physics::EvolvingEquation& equation,
                                                      const SteppingOptions& options, const Communicator& ranks = {});

}  // namespace locum::solvers
