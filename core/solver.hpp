#pragma once
#include <string>

#include "sample.hpp"

namespace locum {

/// What is common to all solvers: a discretised equation, a learned operator, or a hybrid of the two.
class Solver {
 public:
  virtual ~Solver() = default;

  /// What this solver is, for reports: "darcy, PETSc cg + multigrid", "fourier, runs/darcy/checkpoint.h5".
  virtual std::string description() const = 0;
};

/// Turns problems into solutions.
///
/// Who holds one does not know which. Batches are solved member by member or all at once, as suits the solver.
class SteadySolver : public Solver {
 public:
  /// Solves every member of `problem`.
  /// @return  the solution's fields on the same domain; scalars hold what the solver has to report of each member.
  /// @throws SolverError  if a member cannot be solved; DataError or ShapeError if `problem` is not what is solved.
  virtual Sample solve(const Sample& problem) = 0;
};

/// Carries states forward in time. The members of an ensemble are the batch.
///
/// What comes of a state depends on that state, its time and the duration alone: a solver remembers nothing. So a run
/// that stores its states every so often, and advances from one to the next, goes on from any of them bit for bit.
class EvolvingSolver : public Solver {
 public:
  /// The state of every member `duration` later.
  /// @param duration  positive, in the unit of time of the state
  /// @return  the same fields and scalars on the same domain, in the state's type; time is the state's plus `duration`.
  /// @throws SolverError  if a member stops being finite; DataError or ShapeError if `state` is not what is advanced;
  ///         OptionError  if the solver cannot advance by that duration.
  virtual Sample advance(const Sample& state, double duration) = 0;
};

}  // namespace locum
