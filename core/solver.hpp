#pragma once
#include <string>

#include "sample.hpp"

namespace locum {

/// Turns problems into solutions: a discretised equation, a learned operator, or a hybrid of the two.
///
/// Who holds one does not know which. Batches are solved member by member or all at once, as suits the solver.
class SteadySolver {
 public:
  virtual ~SteadySolver() = default;

  /// What this solver is, for reports: "darcy, PETSc cg + gamg", "fourier, runs/darcy/checkpoint.h5".
  virtual std::string description() const = 0;

  /// Solves every member of `problem`.
  /// @return  the solution's fields on the same domain; scalars hold what the solver has to report of each member.
  /// @throws SolverError  if a member cannot be solved; DataError or ShapeError if `problem` is not what is solved.
  virtual Sample solve(const Sample& problem) = 0;
};

}  // namespace locum
