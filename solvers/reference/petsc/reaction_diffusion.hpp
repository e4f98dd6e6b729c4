#pragma once
#include <locum/core/communicator.hpp>
#include <locum/core/solver.hpp>
#include <locum/physics/reaction_diffusion/reaction_diffusion.hpp>

#include <map>
#include <memory>
#include <string>

namespace locum::solvers {

struct ImplicitExplicitOptions {
  double tolerance = 1e-6;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("tolerance", tolerance, "of a step's error, relative and absolute");
  }
};

/// Advances any ReactionDiffusion with PETSc's TS on a DMDA: diffusion implicit, reactions explicit, by the third-order
/// additive Runge–Kutta method of Kennedy & Carpenter, Appl. Numer. Math. 44 (2003) (ARKIMEX 3), its steps adapted to
/// the tolerance; linear systems by GMRES with incomplete factors. Newton's method where diffusivities depend on what
/// diffuses.
///
/// Those are defaults; any option of PETSc's TS, SNES, KSP and PC replaces them: {"ts_adapt_type", "none"} with
/// {"ts_dt", "0.1"} for equal steps. Needs a living PetscSession. In float64 whatever the type of the state. Ranks
/// share each member, in boxes: advance() is collective then, takes the same states on every rank and returns the
/// same, to the tolerance of linear systems those that one rank would.
class ReactionDiffusionSolver : public EvolvingSolver {
 public:
  /// @param equation  must outlive this object
  /// @param petsc     options without the leading dash
  /// @throws OptionError  if the tolerance is not positive
  ReactionDiffusionSolver(const physics::ReactionDiffusion& equation, ImplicitExplicitOptions options,
                          const Communicator& ranks = {}, std::map<std::string, std::string> petsc = {});

  std::string description() const override;

  /// @throws OptionError  if gradients are asked for, which PETSc's steps do not have, or PETSc does not know an option
  /// @throws SolverError  if steps fail, naming PETSc's reason
  Sample advance(const Sample& state, double duration) override;

 private:
  const physics::ReactionDiffusion& equation_;
  ImplicitExplicitOptions options_;
  Communicator ranks_;
  std::map<std::string, std::string> petsc_;
};

/// Makes one. @throws OptionError  as its constructor, or if the build is without PETSc
std::unique_ptr<EvolvingSolver> make_reaction_diffusion_solver(const physics::ReactionDiffusion& equation,
                                                               const ImplicitExplicitOptions& options,
                                                               const Communicator& ranks,
                                                               const std::map<std::string, std::string>& petsc);

}  // namespace locum::solvers
