#pragma once
#include <locum/core/communicator.hpp>

namespace locum::solvers {

/// PETSc, initialised for as long as this object lives. Must outlive every reference solver.
///
/// Takes no command line and no signals; solvers get their options from whoever makes them, the environment variable
/// PETSC_OPTIONS reaches only PETSc itself (-log_view). If the host program has initialised PETSc already, it stays the
/// host's, to finalise too; if nobody has initialised MPI, PETSc does. While a session lives, PETSc's errors become
/// exceptions instead of being printed. In a build without PETSc a session does nothing.
class PetscSession {
 public:
  /// Collective.
  /// @param ranks  all ranks that will ever share a solve.
  /// @throws SolverError  if PETSc does not start.
  explicit PetscSession(const Communicator& ranks);
  ~PetscSession();
  PetscSession(const PetscSession&) = delete;
  PetscSession& operator=(const PetscSession&) = delete;

 private:
  bool owner_ = false;
};

}  // namespace locum::solvers
