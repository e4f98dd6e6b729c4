#pragma once
#include <locum/core/communicator.hpp>
#include <locum/physics/flow/incompressible_flow.hpp>

#include <map>
#include <memory>
#include <string>

#include "../discrete_solver.hpp"

namespace locum::solvers {

/// Solves steady incompressible flows with PETSc: Newton's method (SNES) for the staggered finite volumes of
/// physics::IncompressibleFlow, with their exact Jacobian, factorised by MUMPS, until ‖F‖ ≤ 1e-10 ‖F(at rest)‖.
///
/// Newton starts at rest, so its first step is the flow without inertia. Where it fails, the flow is found for more
/// viscous fluids first, each starting from the one before.
/// Those are defaults; any option of PETSc's SNES, KSP and PC replaces them: velocity and pressure are fields 0, 1 and
/// 2 of a fieldsplit. Needs a living PetscSession. In float64 whatever the type of the problem. The same problem gives
/// the same bits on the same number of ranks, whatever was solved before.
class FlowSolver : public DiscreteSolver {
 public:
  /// @param equation  must outlive the solver
  /// @param ranks     who shares each solve
  /// @param options   of PETSc, without the leading dash
  explicit FlowSolver(const physics::IncompressibleFlow& equation, const Communicator& ranks = {},
                      std::map<std::string, std::string> options = {});
  ~FlowSolver() override;

  std::string description() const override;

  /// Solves every member of `problem`, one after the other: every rank passes the whole problem and gets the whole
  /// solution.
  /// @return  fields velocity, pressure, face_velocity as physics::IncompressibleFlow describes them, and of each
  ///          member the scalars iterations (Newton's) and relative_residual = ‖F‖ / ‖F(at rest)‖
  /// @throws DataError, ShapeError  as physics::IncompressibleFlow::coefficients()
  /// @throws OptionError  if one of the options is not known to the chosen solver
  /// @throws SolverError  if a member's iteration diverges, naming PETSc's reason
  Sample solve(const Sample& problem) override;
  Sample solve(const Sample& problem, const Sample& guess) override;

  Tensor matrix(const Sample& problem, const Sample& solution) override;

 private:
  struct Workspace;
  Workspace& workspace(const Grid& grid);
  Sample solve_from(const Sample& problem, const Tensor& start);

  const physics::IncompressibleFlow& equation_;
  Communicator ranks_;
  std::map<std::string, std::string> options_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace locum::solvers
