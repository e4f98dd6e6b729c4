#pragma once
#include <locum/core/solver.hpp>

namespace locum::solvers {

/// The reference solver of a steady equation, with what can be built on a discretisation: a start of one's own, and the
/// matrix. What is left of the equation, and its derivative along a direction, are the equation's own:
/// SteadyEquation::residual(), physics::jacobian_action(). Everything here is collective.
class DiscreteSolver : public SteadySolver {
 public:
  /// Solves every member of `problem` to the solver's tolerance, from `guess` on.
  /// @param guess  fields as solve(problem) returns them, or as much of them as the equation's residual asks for
  virtual Sample solve(const Sample& problem, const Sample& guess) = 0;
  using SteadySolver::solve;

  /// The matrix of the solver's equations: the derivative of the residual by the solution's unknowns, or minus that,
  /// where it is positive definite then.
  /// @param problem, solution  of one member
  /// @return  on every rank, float64 [row, column], sparse (COO): an unknown of a grid is numbered as in memory,
  ///          [(z, y,) x, component]
  virtual Tensor matrix(const Sample& problem, const Sample& solution) = 0;
};

}  // namespace locum::solvers
