#pragma once
#include <locum/core/communicator.hpp>
#include <locum/physics/diffusion.hpp>

#include <map>
#include <memory>
#include <string>

#include "../discrete_solver.hpp"

namespace locum::solvers {

/// Solves steady diffusion with PETSc: the finite volumes of physics::Diffusion on a DMDA, the symmetric positive
/// definite system by conjugate gradients with algebraic multigrid (GAMG) until ‖f + ∇·(a∇u)‖ ≤ 1e-8 ‖f‖.
///
/// Those are defaults; any option of PETSc's KSP and PC replaces them. Needs a living PetscSession. In float64 whatever
/// the type of the problem. The same problem gives the same bits, whatever was solved before, on the same number of
/// ranks. Matrix and solver are kept for further problems on the same grid.
class DiffusionSolver : public DiscreteSolver {
 public:
  /// @param equation  must outlive the solver
  /// @param ranks     who shares each solve; Communicator() is this process alone
  /// @param options   of PETSc, without the leading dash: {"ksp_rtol", "1e-10"}
  explicit DiffusionSolver(const physics::Diffusion& equation, const Communicator& ranks = {},
                           std::map<std::string, std::string> options = {});
  ~DiffusionSolver() override;

  std::string description() const override;

  /// Solves every member of `problem`, one after the other. Collective: every rank passes the whole problem and gets
  /// the whole solution. If one rank's problem is bad, all throw before they communicate.
  /// @param problem  as physics::Diffusion describes it
  /// @return  field pressure, float64 [batch, 1, (z,) y, x], and of each member the scalars
  ///          iterations, and relative_residual = ‖f + ∇·(a∇u)‖ / ‖f‖ as computed from the solution
  /// @throws DataError, ShapeError  as physics::Diffusion::check()
  /// @throws OptionError  if one of the options is not known to the chosen solver
  /// @throws SolverError  if a member's iteration diverges, naming PETSc's reason, or PETSc fails otherwise
  Sample solve(const Sample& problem) override;
  Sample solve(const Sample& problem, const Sample& guess) override;

  /// −∇·(a∇·), symmetric positive definite: minus the derivative of the residual, whatever the solution.
  Tensor matrix(const Sample& problem, const Sample& solution) override;

 private:
  struct Workspace;  // keeps PETSc's headers out of ours
  Workspace& workspace(const Grid& grid);
  Sample solve_from(const Sample& problem, const Tensor& start);

  const physics::Diffusion& equation_;
  Communicator ranks_;
  std::map<std::string, std::string> options_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace locum::solvers
