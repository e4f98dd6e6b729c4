#pragma once
#include <locum/core/communicator.hpp>
#include <locum/core/solver.hpp>
#include <locum/physics/conservation/conservation_law.hpp>

namespace locum::solvers {

struct FiniteVolumeOptions {
  double courant = 0.4;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("courant", courant, "cells that the fastest signal crosses in a step, axes added up; at most 1");
  }
};

/// Advances any ConservationLaw by the strong-stability-preserving Runge–Kutta method of order 3 (Shu & Osher, J.
/// Comput. Phys. 77 (1988)), in float64 whatever the type of the state.
///
/// Each member has steps of its own: the longest that courant allows at its start, shortened so that a whole number of
/// such steps is left to the end. Members are shared by the threads; a single state in a plane is worked on by all of
/// them, row by row. Ranks, if there are several, share the members, or, where there are fewer members than ranks, the
/// rows of each state in a plane: advance() is collective then, takes the same states on every rank and returns the
/// same, bit for bit those that one rank would. Where gradients are asked for, or the state is not on the CPU, the same
/// steps are done in libtorch's operations, and can be differentiated (but for their lengths).
class FiniteVolumeSolver : public EvolvingSolver {
 public:
  /// @param equation  must outlive this object
  /// @param ranks     who shares states
  /// @throws OptionError  if courant is not from 0 to 1
  FiniteVolumeSolver(const physics::ConservationLaw& equation, FiniteVolumeOptions options,
                     const Communicator& ranks = {});

  std::string description() const override;
  Sample advance(const Sample& state, double duration) override;

 private:
  const physics::ConservationLaw& equation_;
  FiniteVolumeOptions options_;
  Communicator ranks_;
};

}  // namespace locum::solvers
