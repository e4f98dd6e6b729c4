#pragma once
#include <locum/physics/finite_elements/tensile_plate.hpp>

#include "finite_elements.hpp"

namespace locum::solvers {

/// Solves tensile plates on meshes of their own, by finite elements, and takes the solutions to the grid's points.
class TensilePlateSolver : public DiscreteSolver {
 public:
  /// @param ranks, options  as FiniteElementSolver's
  explicit TensilePlateSolver(physics::TensilePlate equation, const Communicator& ranks = {},
                              std::map<std::string, std::string> options = {});

  std::string description() const override;

  /// Collective, as FiniteElementSolver::solve().
  /// @param problem  as physics::TensilePlate describes it, with the scalars of every member's outline
  /// @return  displacement and von_mises, float64, NaN outside of the material, and of each member the scalars
  ///          iterations and relative_residual of the solve on its mesh
  /// @throws  as FiniteElementSolver::solve(); DataError  if scalars are missing, ShapeError  if an outline is none
  Sample solve(const Sample& problem) override;
  /// As solve(problem): a guess on the grid lacks what the mesh shows, and a start from it saves no iterations.
  Sample solve(const Sample& problem, const Sample& guess) override;
  /// @throws OptionError  always: what is solved are unknowns of a mesh, not the grid's values
  Tensor matrix(const Sample& problem, const Sample& solution) override;

 private:
  physics::TensilePlate equation_;
  Communicator ranks_;
  FiniteElementSolver solver_;  // refers to equation_
};

}  // namespace locum::solvers
