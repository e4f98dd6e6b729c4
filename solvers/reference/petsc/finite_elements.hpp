#pragma once
#include <locum/core/communicator.hpp>
#include <locum/physics/finite_elements/mesh_equation.hpp>

#include <map>
#include <string>

#include "../discrete_solver.hpp"

namespace locum::solvers {

/// Solves equations on meshes with PETSc: the matrix is the sum of the cells' matrices that the equation gives. Systems
/// that are symmetric are solved by conjugate gradients with algebraic multigrid (GAMG), which coarsens by the
/// equation's kernel (rigid motions); others by GMRES with incomplete factors of each rank's own part; until
/// ‖b − A u‖ ≤ 1e-8 ‖b‖.
///
/// Those are defaults; any option of PETSc's KSP and PC replaces them. Needs a living PetscSession. In float64 whatever
/// the type of the problem. On one rank the same problem gives the same bits, whatever was solved before; on several
/// the last bits depend on the order in which messages come.
class FiniteElementSolver : public DiscreteSolver {
 public:
  /// @param equation  must outlive the solver
  /// @param ranks     who shares each solve; Communicator() is this process alone
  /// @param options   of PETSc, without the leading dash: {"ksp_rtol", "1e-10"}
  explicit FiniteElementSolver(const physics::MeshEquation& equation, const Communicator& ranks = {},
                               std::map<std::string, std::string> options = {});

  std::string description() const override;

  /// Solves every member of `problem`, one after the other. Collective: every rank passes the whole problem and gets
  /// the whole solution. If one rank's problem is bad, all throw before they communicate.
  /// @param problem  as physics::MeshEquation describes it
  /// @return  the equation's fields, float64, and of each member the scalars iterations, and relative_residual =
  ///          ‖b − A u‖ / ‖b‖ as computed from the solution
  /// @throws DataError, ShapeError  as physics::MeshEquation::check()
  /// @throws OptionError  if one of the options is not known to the chosen solver
  /// @throws SolverError  if a member's iteration diverges, naming PETSc's reason, or PETSc fails otherwise
  Sample solve(const Sample& problem) override;
  /// @param guess  the unknown, [batch, component, vertex]
  Sample solve(const Sample& problem, const Sample& guess) override;

  /// A; an unknown's number is vertex · components + component.
  Tensor matrix(const Sample& problem, const Sample& solution) override;

 private:
  Sample solve_from(const Sample& problem, const Tensor& start);

  const physics::MeshEquation& equation_;
  Communicator ranks_;
  std::map<std::string, std::string> options_;
};

}  // namespace locum::solvers
