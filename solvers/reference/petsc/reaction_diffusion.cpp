#include "reaction_diffusion.hpp"

#include <fmt/format.h>
#include <petscts.h>
#include <locum/core/error.hpp>

#include <algorithm>
#include <vector>

#include "../time_steps.hpp"
#include "handles.hpp"

namespace locum::solvers {

using physics::ReactionDiffusion;

namespace {

using PetscTs = Handle<TS, nullptr, destroy<TSDestroy, TS>>;

/// What PETSc's callbacks know: the equation on a grid, x first, and the rank's box of it.
struct Discretisation {
  const ReactionDiffusion& equation;
  PetscInt species = 1, axes = 1;
  PetscInt cells[2] = {1, 1};
  double spacing[2] = {1, 1};
  ReactionDiffusion::Edge low[2], high[2];
  DM mesh = nullptr;
  PetscInt first[2] = {0, 0}, width[2] = {1, 1};                  // of the box
  PetscInt ghosted_first[2] = {0, 0}, ghosted_width[2] = {1, 1};  // with neighbours

  template <class Work>
  void each_cell(const Work& work) const
  {
    for (PetscInt j = first[1]; j < first[1] + width[1]; ++j)
      for (PetscInt i = first[0]; i < first[0] + width[0]; ++i) work(i, j);
  }
  PetscInt inside(PetscInt i, PetscInt j) const { return ((j - first[1]) * width[0] + i - first[0]) * species; }
  PetscInt ghosted(PetscInt i, PetscInt j) const
  {
    return ((j - ghosted_first[1]) * ghosted_width[0] + i - ghosted_first[0]) * species;
  }

  /// Calls part(other i, other j, weight) for neighbours and the cell itself, and returns the constant:
  /// Δu = constant + Σ weight u.
  template <class Part>
  double laplacian(PetscInt i, PetscInt j, const Part& part) const
  {
    double constant = 0, own = 0;
    for (int axis = 0; axis < axes; ++axis) {
      const double per = 1 / (spacing[axis] * spacing[axis]);
      const PetscInt here = axis == 0 ? i : j;
      own -= 2 * per;
      for (const PetscInt step : {-1, 1}) {
        const bool beyond = here + step < 0 || here + step >= cells[axis];
        if (!beyond) {
          part(axis == 0 ? i + step : i, axis == 0 ? j : j + step, per);
          continue;
        }
        const ReactionDiffusion::Edge& edge = step < 0 ? low[axis] : high[axis];
        constant += per * edge.constant;
        own += per * edge.factor;
      }
    }
    part(i, j, own);
    return constant;
  }
};

/// F(t, u, u̇) = u̇ − d(u) Δu
PetscErrorCode implicit_part(TS, PetscReal, Vec u, Vec rate, Vec result, void* context)
{
  PetscFunctionBeginUser;
  const auto& d = *static_cast<const Discretisation*>(context);
  Vec near = nullptr;
  PetscCall(DMGetLocalVector(d.mesh, &near));
  PetscCall(DMGlobalToLocalBegin(d.mesh, u, INSERT_VALUES, near));
  PetscCall(DMGlobalToLocalEnd(d.mesh, u, INSERT_VALUES, near));
  const PetscScalar *values = nullptr, *rates = nullptr;
  PetscScalar* out = nullptr;
  PetscCall(VecGetArrayRead(near, &values));
  PetscCall(VecGetArrayRead(rate, &rates));
  PetscCall(VecGetArrayWrite(result, &out));
  d.each_cell([&](PetscInt i, PetscInt j) {
    for (PetscInt s = 0; s < d.species; ++s) {
      double sum = 0;
      const double constant = d.laplacian(
          i, j, [&](PetscInt ii, PetscInt jj, double weight) { sum += weight * values[d.ghosted(ii, jj) + s]; });
      const auto [diffusivity, slope] =
          d.equation.diffusivity(static_cast<std::size_t>(s), values[d.ghosted(i, j) + s]);
      out[d.inside(i, j) + s] = rates[d.inside(i, j) + s] - diffusivity * (constant + sum);
    }
  });
  PetscCall(VecRestoreArrayWrite(result, &out));
  PetscCall(VecRestoreArrayRead(rate, &rates));
  PetscCall(VecRestoreArrayRead(near, &values));
  PetscCall(DMRestoreLocalVector(d.mesh, &near));
  PetscFunctionReturn(static_cast<PetscErrorCode>(0));
}

/// shift ∂F/∂u̇ + ∂F/∂u
PetscErrorCode implicit_matrix(TS, PetscReal, Vec u, Vec, PetscReal shift, Mat matrix, Mat preconditioned,
                               void* context)
{
  PetscFunctionBeginUser;
  const auto& d = *static_cast<const Discretisation*>(context);
  Vec near = nullptr;
  PetscCall(DMGetLocalVector(d.mesh, &near));
  PetscCall(DMGlobalToLocalBegin(d.mesh, u, INSERT_VALUES, near));
  PetscCall(DMGlobalToLocalEnd(d.mesh, u, INSERT_VALUES, near));
  const PetscScalar* values = nullptr;
  PetscCall(VecGetArrayRead(near, &values));
  PetscErrorCode failure = static_cast<PetscErrorCode>(0);
  d.each_cell([&](PetscInt i, PetscInt j) {
    for (PetscInt s = 0; s < d.species; ++s) {
      const auto [diffusivity, slope] =
          d.equation.diffusivity(static_cast<std::size_t>(s), values[d.ghosted(i, j) + s]);
      const MatStencil row{.k = 0, .j = j, .i = i, .c = s};
      MatStencil columns[5];
      PetscScalar entries[5];
      PetscInt count = 0;
      double sum = 0;
      const double constant = d.laplacian(i, j, [&, value = diffusivity](PetscInt ii, PetscInt jj, double weight) {
        sum += weight * values[d.ghosted(ii, jj) + s];
        columns[count] = {.k = 0, .j = jj, .i = ii, .c = s};
        entries[count++] = -value * weight;
      });
      entries[count - 1] += shift - slope * (constant + sum);  // the cell itself came last
      const PetscErrorCode code = MatSetValuesStencil(preconditioned, 1, &row, count, columns, entries, INSERT_VALUES);
      if (code) failure = code;
    }
  });
  PetscCall(failure);
  PetscCall(VecRestoreArrayRead(near, &values));
  PetscCall(DMRestoreLocalVector(d.mesh, &near));
  PetscCall(MatAssemblyBegin(preconditioned, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(preconditioned, MAT_FINAL_ASSEMBLY));
  if (matrix != preconditioned) {
    PetscCall(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
    PetscCall(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
  }
  PetscFunctionReturn(static_cast<PetscErrorCode>(0));
}

/// G(t, u) = f(u)
PetscErrorCode explicit_part(TS, PetscReal, Vec u, Vec result, void* context)
{
  PetscFunctionBeginUser;
  const auto& d = *static_cast<const Discretisation*>(context);
  const PetscScalar* values = nullptr;
  PetscScalar* out = nullptr;
  PetscCall(VecGetArrayRead(u, &values));
  PetscCall(VecGetArrayWrite(result, &out));
  d.each_cell([&](PetscInt i, PetscInt j) { d.equation.react(values + d.inside(i, j), out + d.inside(i, j)); });
  PetscCall(VecRestoreArrayWrite(result, &out));
  PetscCall(VecRestoreArrayRead(u, &values));
  PetscFunctionReturn(static_cast<PetscErrorCode>(0));
}

PetscDm make_mesh(const Discretisation& d, MPI_Comm comm)
{
  const char* doing = "making the grid";
  PetscDm mesh;
  if (d.axes == 1)
    check_petsc(DMDACreate1d(comm, DM_BOUNDARY_NONE, d.cells[0], d.species, /*stencil width=*/1, nullptr, mesh.out()),
                doing);
  else
    check_petsc(DMDACreate2d(comm, DM_BOUNDARY_NONE, DM_BOUNDARY_NONE, DMDA_STENCIL_STAR, d.cells[0], d.cells[1],
                             PETSC_DECIDE, PETSC_DECIDE, d.species, /*stencil width=*/1, nullptr, nullptr, mesh.out()),
                doing);
  check_petsc(DMSetUp(mesh.get()), doing);
  return mesh;
}

}  // namespace

ReactionDiffusionSolver::ReactionDiffusionSolver(const ReactionDiffusion& equation, ImplicitExplicitOptions options,
                                                 const Communicator& ranks, std::map<std::string, std::string> petsc)
    : equation_(equation), options_(options), ranks_(ranks), petsc_(std::move(petsc))
{
  if (!(options.tolerance > 0))
    throw OptionError({.doing = fmt::format("setting up the solver of equation {}", equation.name()),
                       .where = "solver.tolerance",
                       .found = fmt::format("{}", options.tolerance),
                       .expected = "above 0",
                       .advice = "tolerance = 1e-6"});
}

std::string ReactionDiffusionSolver::description() const
{
  return fmt::format("{}, PETSc arkimex, tolerance {}", equation_.name(), options_.tolerance);
}

Sample ReactionDiffusionSolver::advance(const Sample& state, double duration)
{
  require_duration(equation_, duration);
  const std::string advancing = fmt::format("advancing equation {}", equation_.name());
  const Grid& grid = state.grid();
  const Tensor before = stack_channels(state, equation_.state());
  if (needs_tensors(before))
    throw OptionError({.doing = advancing,
                       .where = "the state",
                       .found = "one that wants gradients, or is not on the CPU",
                       .expected = "numbers: PETSc's steps are not differentiated",
                       .advice = "Equation::tendency() is differentiable"});
  const auto species = static_cast<std::int64_t>(equation_.state().size());
  if (grid.axes.size() > 2 || before.size(1) != species)
    throw ShapeError({.doing = advancing,
                      .where = "the state",
                      .found = to_string(before.sizes()),
                      .expected = fmt::format("{} channels along one or two axes", species),
                      .advice = ""});

  Discretisation d{.equation = equation_,
                   .species = static_cast<PetscInt>(species),
                   .axes = static_cast<PetscInt>(grid.axes.size()),
                   .low = {},
                   .high = {}};
  for (std::size_t i = 0; i < grid.axes.size(); ++i) {
    const std::size_t axis = grid.axes.size() - 1 - i;
    d.cells[i] = static_cast<PetscInt>(grid.axes[axis].points);
    d.spacing[i] = grid.axes[axis].spacing;
    d.low[i] = equation_.edge(axis, false, d.spacing[i]);
    d.high[i] = equation_.edge(axis, true, d.spacing[i]);
  }

  const std::string tolerance = fmt::format("{}", options_.tolerance);
  const PetscOptionSet options({{"ts_type", "arkimex"},
                                {"ts_arkimex_type", "3"},
                                {"ts_rtol", tolerance},
                                {"ts_atol", tolerance},
                                {"ts_dt", fmt::format("{}", duration / 100)},
                                {"ts_max_steps", "1000000"},
                                {"snes_type", equation_.quasilinear() ? "newtonls" : "ksponly"},
                                {"snes_rtol", "1e-8"},
                                {"ksp_type", "gmres"},
                                {"ksp_rtol", "1e-8"}},
                               petsc_);
  const PetscOptionSet::Scope scope(options);
  const char* doing = "setting up time steps";
  const PetscDm mesh = make_mesh(d, ranks_.raw());
  d.mesh = mesh.get();
  check_petsc(DMDAGetCorners(d.mesh, &d.first[0], &d.first[1], nullptr, &d.width[0], &d.width[1], nullptr), doing);
  check_petsc(DMDAGetGhostCorners(d.mesh, &d.ghosted_first[0], &d.ghosted_first[1], nullptr, &d.ghosted_width[0],
                                  &d.ghosted_width[1], nullptr),
              doing);
  PetscMat matrix;
  PetscVec solution;
  check_petsc(DMCreateMatrix(d.mesh, matrix.out()), doing);
  check_petsc(DMCreateGlobalVector(d.mesh, solution.out()), doing);

  const Tensor start = before.detach().to(torch::kFloat64).contiguous(), end = torch::zeros_like(start);
  const std::int64_t members = start.size(0), points = d.cells[0] * d.cells[1];
  for (std::int64_t m = 0; m < members; ++m) {
    // New for each member: what becomes of one depends on no other.
    PetscTs steps;
    check_petsc(TSCreate(ranks_.raw(), steps.out()), doing);
    check_petsc(TSSetDM(steps.get(), d.mesh), doing);
    check_petsc(TSSetIFunction(steps.get(), nullptr, implicit_part, &d), doing);
    check_petsc(TSSetIJacobian(steps.get(), matrix.get(), matrix.get(), implicit_matrix, &d), doing);
    check_petsc(TSSetRHSFunction(steps.get(), nullptr, explicit_part, &d), doing);
    check_petsc(TSSetMaxTime(steps.get(), duration), doing);
    check_petsc(TSSetExactFinalTime(steps.get(), TS_EXACTFINALTIME_MATCHSTEP), doing);
    check_petsc(TSSetErrorIfStepFails(steps.get(), PETSC_FALSE), doing);
    check_petsc(TSSetFromOptions(steps.get()), doing);

    const double* const from = start.data_ptr<double>() + m * species * points;
    double* const to = end.data_ptr<double>() + m * species * points;
    const auto each_value = [&](const auto& body) {
      PetscScalar* values = nullptr;
      check_petsc(VecGetArray(solution.get(), &values), doing);
      d.each_cell([&](PetscInt i, PetscInt j) {
        for (PetscInt s = 0; s < d.species; ++s) body(values[d.inside(i, j) + s], s * points + j * d.cells[0] + i);
      });
      check_petsc(VecRestoreArray(solution.get(), &values), doing);
    };
    each_value([&](PetscScalar& value, std::int64_t place) { value = from[place]; });
    check_petsc(TSSolve(steps.get(), solution.get()), "stepping in time");
    options.refuse_unused();

    TSConvergedReason reason = TS_CONVERGED_ITERATING;
    PetscReal reached = 0;
    check_petsc(TSGetConvergedReason(steps.get(), &reason), doing);
    check_petsc(TSGetSolveTime(steps.get(), &reached), doing);
    if (reason != TS_CONVERGED_TIME)
      throw SolverError({.doing = advancing,
                         .where = fmt::format("member {} of {}, [solver.petsc]", m, members),
                         .found = fmt::format("TS_{} at time {} of {}", TSConvergedReasons[reason], reached, duration),
                         .expected = "steps to the end",
                         .advice = "ts_max_steps, or ksp_type = \"preonly\" with pc_type = \"lu\" on one rank"});
    each_value([&](PetscScalar& value, std::int64_t place) { to[place] = value; });
    // Each rank has filled in its own box and left zeros elsewhere.
    if (ranks_.size() > 1)
      MPI_Allreduce(MPI_IN_PLACE, to, static_cast<int>(species * points), MPI_DOUBLE, MPI_SUM, ranks_.raw());
  }
  return advanced(equation_, state, end.to(before.scalar_type()), duration, "tolerance", options_.tolerance);
}

std::unique_ptr<EvolvingSolver> make_reaction_diffusion_solver(const ReactionDiffusion& equation,
                                                               const ImplicitExplicitOptions& options,
                                                               const Communicator& ranks,
                                                               const std::map<std::string, std::string>& petsc)
{
  return std::make_unique<ReactionDiffusionSolver>(equation, options, ranks, petsc);
}

}  // namespace locum::solvers
