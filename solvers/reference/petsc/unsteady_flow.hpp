#pragma once
#include <locum/core/communicator.hpp>
#include <locum/core/solver.hpp>
#include <locum/physics/flow/unsteady_channel_flow.hpp>

#include <map>
#include <memory>
#include <string>

namespace locum::solvers {

struct ProjectionOptions {
  double step = 1e-3;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("step", step, "longest time step, s: cells crossed in one, and four times ν step / cell², stay below 1");
  }
};

/// Advances unsteady flow in a channel by the strong-stability-preserving Runge–Kutta method of order 3, each stage
/// projected onto velocities without divergence (Chorin, Math. Comput. 22 (1968); Temam 1969), with PETSc: Poisson's
/// equation for the pressure is factorised once (Cholesky, MUMPS) and solved three times a step.
///
/// Any option of PETSc's KSP and PC replaces those defaults. Needs a living PetscSession. In float64 whatever the type
/// of the state. The same state gives the same bits on the same number of ranks.
class UnsteadyFlowSolver : public EvolvingSolver {
 public:
  /// @param equation  must outlive the solver
  /// @param ranks     who shares each state: advance() is collective, takes the same states on every rank and returns
  ///                  the same
  /// @param petsc     options, without the leading dash
  /// @throws OptionError  if the step is not positive
  UnsteadyFlowSolver(const physics::UnsteadyChannelFlow& equation, ProjectionOptions options,
                     const Communicator& ranks = {}, std::map<std::string, std::string> petsc = {});
  ~UnsteadyFlowSolver() override;

  std::string description() const override;

  /// The duration is divided into equal steps, none longer than the option's.
  Sample advance(const Sample& state, double duration) override;

 private:
  struct Workspace;
  const physics::UnsteadyChannelFlow& equation_;
  ProjectionOptions options_;
  Communicator ranks_;
  std::map<std::string, std::string> petsc_;
  std::unique_ptr<Workspace> workspace_;
};

/// Makes one. @throws OptionError  as its constructor, or if the build is without PETSc
std::unique_ptr<EvolvingSolver> make_unsteady_flow_solver(const physics::UnsteadyChannelFlow& equation,
                                                          const ProjectionOptions& options, const Communicator& ranks,
                                                          const std::map<std::string, std::string>& petsc);

}  // namespace locum::solvers
