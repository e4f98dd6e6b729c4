#include "diffusion.hpp"

#include <fmt/format.h>
#include <locum/core/agree.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include "gathering.hpp"
#include "handles.hpp"

namespace locum::solvers {

/// How often the cells can be halved in number along every axis, until fewer than eight are left along one.
static int halvings(const Grid& grid)
{
  auto points = grid.shape();
  int count = 0;
  for (; std::all_of(points.begin(), points.end(), [](auto n) { return n % 2 == 0 && n >= 8; }); ++count)
    for (auto& n : points) n /= 2;
  return count;
}

/// Options of PETSc for systems on a grid.
/// @param along_axes  the permeability has a value along each axis
static std::map<std::string, std::string> defaults_for(const Grid& grid, bool along_axes)
{
  std::map<std::string, std::string> options = {
      {"ksp_type", "cg"},
      {"ksp_norm_type", "unpreconditioned"},  // so that ksp_rtol speaks of the residual itself
      {"ksp_rtol", "1e-8"},
      // Symmetric Gauss–Seidel needs no bound on eigenvalues. Chebyshev's is a guess, which permeabilities that vary by
      // 10⁶ and more prove wrong, and takes longer to make than to use.
      {"mg_levels_ksp_type", "richardson"},
      {"mg_levels_ksp_max_it", "1"},
      {"mg_levels_pc_type", "sor"},
  };
  if (halvings(grid) >= 2 && !along_axes) {
    options["pc_type"] = "mg";  // on the levels that Workspace makes
    return options;
  }
  options["pc_type"] = "gamg";
  options["pc_gamg_threshold"] = "0.02";  // do not coarsen across weak couplings
  // Where diffusion is stronger along one axis, the interpolation for a = 1 is of little use: see Workspace.
  options["pc_gamg_reuse_interpolation"] = along_axes ? "false" : "true";
  return options;
}

/// How an iteration ended.
struct Outcome {
  KSPConvergedReason reason = KSP_CONVERGED_ITERATING;
  PetscInt iterations = 0;
  double tolerance = 0;
  double relative_residual = 0;
};

/// What is kept between problems on one grid: [z][y][x] cells (of a square one along z), global vectors with x fastest
/// on each rank's box.
struct DiffusionSolver::Workspace {
  Workspace(const Grid& grid, bool along_axes, const physics::Diffusion& equation, const Communicator& ranks,
            const std::map<std::string, std::string>& own);

  /// @param a  along each axis, [axis (x, y, z), (z,) y, x]
  void assemble(const Tensor& a);
  /// Copies this rank's box of a field [(z,) y, x] into a vector, or back.
  void scatter(const Tensor& field, Vec to) const;
  Tensor gather(Vec from) const;
  /// Solves for `solution`, from what it holds, if it is to be the start.
  Outcome solve(bool from_start);

  template <class Body>
  void for_each_row(const Body& body) const;
  void make_levels(int coarser);
  void assemble_levels();

  Grid grid;
  bool along_axes;
  const physics::Diffusion& equation;
  Communicator ranks;
  PetscInt cells[3] = {1, 1, 1};  // along x, y, z
  PetscOptionSet options;
  PetscDm mesh;
  PetscInt first[3] = {0, 0, 0}, size[3] = {1, 1, 1};  // this rank's box
  PetscMat matrix;
  PetscVec rhs, solution, residual;
  PetscKsp krylov;
  // Geometric multigrid, from the finest level but one to the coarsest.
  std::vector<PetscDm> coarser_meshes;
  std::vector<PetscMat> interpolations, coarser_matrices;
};

DiffusionSolver::Workspace::Workspace(const Grid& grid, bool along_axes, const physics::Diffusion& equation,
                                      const Communicator& ranks, const std::map<std::string, std::string>& own)
    : grid(grid), along_axes(along_axes), equation(equation), ranks(ranks), options(defaults_for(grid, along_axes), own)
{
  const char* doing = "setting up the diffusion system";
  const PetscOptionSet::Scope scope(options);
  const std::size_t axes = grid.axes.size();
  for (std::size_t i = 0; i < axes; ++i) cells[i] = static_cast<PetscInt>(grid.axes[axes - 1 - i].points);
  const auto boundary = DM_BOUNDARY_NONE;
  if (axes == 2)
    check_petsc(DMDACreate2d(ranks.raw(), boundary, boundary, DMDA_STENCIL_STAR, cells[0], cells[1], PETSC_DECIDE,
                             PETSC_DECIDE, /*fields=*/1, /*stencil width=*/1, nullptr, nullptr, mesh.out()),
                doing);
  else
    check_petsc(DMDACreate3d(ranks.raw(), boundary, boundary, boundary, DMDA_STENCIL_STAR, cells[0], cells[1], cells[2],
                             PETSC_DECIDE, PETSC_DECIDE, PETSC_DECIDE, /*fields=*/1, /*stencil width=*/1, nullptr,
                             nullptr, nullptr, mesh.out()),
                doing);
  check_petsc(DMSetUp(mesh.get()), doing);
  check_petsc(DMDAGetCorners(mesh.get(), &first[0], &first[1], &first[2], &size[0], &size[1], &size[2]), doing);
  // Coarse cells of whole cells.
  check_petsc(DMDASetInterpolationType(mesh.get(), DMDA_Q0), doing);
  check_petsc(DMCreateMatrix(mesh.get(), matrix.out()), doing);
  check_petsc(MatSetOption(matrix.get(), MAT_SPD, PETSC_TRUE), doing);
  check_petsc(DMCreateGlobalVector(mesh.get(), rhs.out()), doing);
  check_petsc(VecDuplicate(rhs.get(), solution.out()), doing);
  check_petsc(VecDuplicate(rhs.get(), residual.out()), doing);
  check_petsc(KSPCreate(ranks.raw(), krylov.out()), doing);
  check_petsc(KSPSetOperators(krylov.get(), matrix.get(), matrix.get()), doing);
  if (!own.count("pc_type") && !along_axes && halvings(grid) >= 2) make_levels(halvings(grid));
  else {
    check_petsc(KSPSetDM(krylov.get(), mesh.get()), doing);  // preconditioners may ask for the grid
    check_petsc(KSPSetDMActive(krylov.get(), PETSC_FALSE), doing);
  }
  check_petsc(KSPSetFromOptions(krylov.get()), doing);

  // Algebraic multigrid keeps the interpolation it builds first. Built here, for a = 1, it saves more than half of a
  // solve's time and does not depend on which problem came first; conjugate gradients take about as many iterations.
  std::vector<std::int64_t> shape = {static_cast<std::int64_t>(axes)};
  for (const Axis& axis : grid.axes) shape.push_back(axis.points);
  assemble(torch::ones(shape, torch::kFloat64));
  check_petsc(KSPSetUp(krylov.get()), doing);
  options.refuse_unused();
}

/// Each level's cells are pairs of the next finer's along every axis; corrections are constant in a cell.
///
/// Galerkin's equations for such corrections have the fluxes of the finer level: differences over half of the distance
/// that there is between coarse cells, so twice the flux, and corrections of half the size. Half of those equations, to
/// which discretising on the coarse cells comes for a = 1, makes the number of iterations independent of the grid.
/// Sources: Wesseling, An Introduction to Multigrid Methods (1992), ch. 5.4; Braess, Computing 55 (1995).
void DiffusionSolver::Workspace::make_levels(int coarser)
{
  const char* doing = "making the levels of multigrid";
  PC preconditioner = nullptr;  // belongs to krylov
  check_petsc(KSPGetPC(krylov.get(), &preconditioner), doing);
  check_petsc(PCSetType(preconditioner, PCMG), doing);
  check_petsc(PCMGSetLevels(preconditioner, coarser + 1, nullptr), doing);
  DM finer = mesh.get();
  for (int level = coarser; level > 0; --level) {
    PetscDm next;
    check_petsc(DMCoarsen(finer, MPI_COMM_NULL, next.out()), doing);
    PetscMat interpolation;
    check_petsc(DMCreateInterpolation(next.get(), finer, interpolation.out(), nullptr), doing);
    check_petsc(PCMGSetInterpolation(preconditioner, level, interpolation.get()), doing);
    finer = next.get();
    coarser_meshes.push_back(std::move(next));
    interpolations.push_back(std::move(interpolation));
  }
}

void DiffusionSolver::Workspace::assemble_levels()
{
  const char* doing = "assembling the levels of multigrid";
  PC preconditioner = nullptr;  // belongs to krylov
  check_petsc(KSPGetPC(krylov.get(), &preconditioner), doing);
  const bool first_time = coarser_matrices.empty();
  Mat finer = matrix.get();
  for (std::size_t i = 0; i < interpolations.size(); ++i) {
    if (first_time) {
      PetscMat coarse;
      check_petsc(MatPtAP(finer, interpolations[i].get(), MAT_INITIAL_MATRIX, /*fill=*/1, coarse.out()), doing);
      coarser_matrices.push_back(std::move(coarse));
    } else {
      Mat coarse = coarser_matrices[i].get();
      check_petsc(MatPtAP(finer, interpolations[i].get(), MAT_REUSE_MATRIX, /*fill=*/1, &coarse), doing);
    }
    finer = coarser_matrices[i].get();
    check_petsc(MatScale(finer, 0.5), doing);
    KSP smoother = nullptr;
    const auto level = static_cast<PetscInt>(interpolations.size() - 1 - i);
    check_petsc(PCMGGetSmoother(preconditioner, level, &smoother), doing);
    check_petsc(KSPSetOperators(smoother, finer, finer), doing);
  }
}

/// Calls body(k, j, number of the first cell in memory) for the rows of this rank's box.
template <class Body>
void DiffusionSolver::Workspace::for_each_row(const Body& body) const
{
  for (PetscInt k = first[2]; k < first[2] + size[2]; ++k)
    for (PetscInt j = first[1]; j < first[1] + size[1]; ++j) body(k, j, (k * cells[1] + j) * cells[0] + first[0]);
}

void DiffusionSolver::Workspace::assemble(const Tensor& a)
{
  const char* doing = "assembling the diffusion system";
  const auto axes = grid.axes.size();
  const std::int64_t all = a[0].numel();
  const std::int64_t strides[3] = {1, cells[0], std::int64_t(cells[0]) * cells[1]};
  const double* values_of_a = a.data_ptr<double>();
  for_each_row([&](PetscInt k, PetscInt j, PetscInt row_start) {
    for (PetscInt i = first[0]; i < first[0] + size[0]; ++i) {
      const std::int64_t here = row_start + i - first[0];
      const PetscInt place[3] = {i, j, k};
      const MatStencil row{.k = k, .j = j, .i = i, .c = 0};
      MatStencil columns[7] = {row};
      double values[7] = {0};
      PetscInt count = 1;
      for (std::size_t axis = 0; axis < axes; ++axis) {
        const double* along = values_of_a + static_cast<std::int64_t>(axis) * all;
        const double per_h2 = double(cells[axis]) * double(cells[axis]);
        for (const int step : {-1, 1}) {
          const PetscInt neighbour = place[axis] + step;
          if (neighbour < 0 || neighbour >= cells[axis]) {  // a value half a cell away, or no flux
            if (equation.sides().given(2 * axis + (step > 0))) values[0] += 2 * along[here] * per_h2;
            continue;
          }
          const double there = along[here + step * strides[axis]];
          const double conductance = 2 * along[here] * there / (along[here] + there) * per_h2;
          values[0] += conductance;
          values[count] = -conductance;
          columns[count] = row;
          (axis == 0 ? columns[count].i : axis == 1 ? columns[count].j : columns[count].k) = neighbour;
          ++count;
        }
      }
      check_petsc(MatSetValuesStencil(matrix.get(), 1, &row, count, columns, values, INSERT_VALUES), doing);
    }
  });
  check_petsc(MatAssemblyBegin(matrix.get(), MAT_FINAL_ASSEMBLY), doing);
  check_petsc(MatAssemblyEnd(matrix.get(), MAT_FINAL_ASSEMBLY), doing);
  assemble_levels();
}

void DiffusionSolver::Workspace::scatter(const Tensor& field, Vec to) const
{
  double* values = nullptr;
  check_petsc(VecGetArray(to, &values), "setting a vector");
  const double* given = field.data_ptr<double>();
  double* next = values;
  for_each_row([&](PetscInt, PetscInt, PetscInt row) { next = std::copy_n(given + row, size[0], next); });
  check_petsc(VecRestoreArray(to, &values), "setting a vector");
}

Tensor DiffusionSolver::Workspace::gather(Vec from) const
{
  std::vector<std::int64_t> shape;
  for (const Axis& axis : grid.axes) shape.push_back(axis.points);
  const Tensor field = torch::zeros(shape, torch::kFloat64);
  const double* values = nullptr;
  check_petsc(VecGetArrayRead(from, &values), "reading the solution");
  const double* next = values;
  for_each_row([&](PetscInt, PetscInt, PetscInt row) {
    std::copy_n(next, size[0], field.data_ptr<double>() + row);
    next += size[0];
  });
  check_petsc(VecRestoreArrayRead(from, &values), "reading the solution");
  gather_parts(field, ranks);
  return field;
}

Outcome DiffusionSolver::Workspace::solve(bool from_start)
{
  const char* doing = "solving the diffusion system";
  const PetscOptionSet::Scope scope(options);
  check_petsc(KSPSetOperators(krylov.get(), matrix.get(), matrix.get()), doing);  // the same, with other values
  check_petsc(KSPSetInitialGuessNonzero(krylov.get(), from_start ? PETSC_TRUE : PETSC_FALSE), doing);
  check_petsc(KSPSolve(krylov.get(), rhs.get(), solution.get()), doing);

  Outcome outcome;
  check_petsc(KSPGetConvergedReason(krylov.get(), &outcome.reason), doing);
  check_petsc(KSPGetIterationNumber(krylov.get(), &outcome.iterations), doing);
  check_petsc(KSPGetTolerances(krylov.get(), &outcome.tolerance, nullptr, nullptr, nullptr), doing);

  check_petsc(MatMult(matrix.get(), solution.get(), residual.get()), doing);
  check_petsc(VecAYPX(residual.get(), -1, rhs.get()), doing);
  double remainder = 0, scale = 0;
  check_petsc(VecNorm(residual.get(), NORM_2, &remainder), doing);
  check_petsc(VecNorm(rhs.get(), NORM_2, &scale), doing);
  outcome.relative_residual = scale > 0 ? remainder / scale : remainder;
  return outcome;
}

static std::string advice(const Outcome& outcome, bool own_preconditioner)
{
  if (own_preconditioner) return "leave pc_type as it is by default";
  if (outcome.reason == KSP_DIVERGED_ITS) return fmt::format("ksp_max_it = {}", 10 * outcome.iterations);
  return "pc_type = \"hypre\", or \"cholesky\" on one rank";
}

DiffusionSolver::DiffusionSolver(const physics::Diffusion& equation, const Communicator& ranks,
                                 std::map<std::string, std::string> options)
    : equation_(equation), ranks_(ranks), options_(std::move(options))
{
}

DiffusionSolver::~DiffusionSolver() = default;

std::string DiffusionSolver::description() const
{
  const auto setting = [&](const char* name, const char* otherwise) {
    const auto own = options_.find(name);
    return own == options_.end() ? otherwise : own->second;
  };
  return fmt::format("{}, PETSc {} + {}", equation_.name(), setting("ksp_type", "cg"), setting("pc_type", "multigrid"));
}

DiffusionSolver::Workspace& DiffusionSolver::workspace(const Sample& problem)
{
  const Grid& grid = problem.grid();
  const auto permeability = problem.fields.find("permeability");
  const bool along_axes = permeability != problem.fields.end() && permeability->second.values.size(1) > 1;
  if (!workspace_ || workspace_->grid.shape() != grid.shape() || workspace_->along_axes != along_axes) try {
      workspace_ = std::make_unique<Workspace>(grid, along_axes, equation_, ranks_, options_);
    } catch (const SolverError& error) {
      throw OptionError(error.report());  // no fault of this problem: no other could be solved either
    }
  return *workspace_;
}

static Tensor in_float64(const Tensor& values) { return values.detach().to(torch::kCPU, torch::kFloat64).contiguous(); }

Sample DiffusionSolver::solve(const Sample& problem) { return solve_from(problem, {}); }

Sample DiffusionSolver::solve(const Sample& problem, const Sample& guess)
{
  Tensor start;
  agree(ranks_, [&] {
    start = in_float64(guess.field("pressure").values);
    equation_.residual(problem, guess);  // refuses another shape
  });
  return solve_from(problem, start);
}

Sample DiffusionSolver::solve_from(const Sample& problem, const Tensor& start)
{
  agree(ranks_, [&] { equation_.check(problem); });
  const Tensor a = in_float64(equation_.permeability(problem)), f = in_float64(equation_.forcing(problem));
  const auto members = f.size(0);
  Workspace& space = workspace(problem);

  std::vector<Tensor> found;
  const Tensor iterations = torch::empty({members}, torch::kFloat64), residuals = torch::empty_like(iterations);
  for (std::int64_t m = 0; m < members; ++m) {
    space.assemble(a[m]);
    space.scatter(f[m], space.rhs.get());
    if (start.defined()) space.scatter(start[m], space.solution.get());
    const Outcome outcome = space.solve(start.defined());
    if (outcome.reason < 0 || !std::isfinite(outcome.relative_residual))
      throw SolverError(
          {.doing = "solving the reference problem",
           .where = fmt::format("member {} of {}, [solver.petsc]", m, members),
           .found = fmt::format("KSP_{} after {} iterations, relative residual {:.1e}",
                                KSPConvergedReasons[outcome.reason], outcome.iterations, outcome.relative_residual),
           .expected = fmt::format("{:.0e}", outcome.tolerance),
           .advice = advice(outcome, options_.count("pc_type") > 0)});
    iterations[m] = outcome.iterations;
    residuals[m] = outcome.relative_residual;
    found.push_back(space.gather(space.solution.get()));
  }

  Sample solution{.domain = problem.domain, .fields = {}, .scalars = {}, .time = problem.time};
  solution.fields["pressure"] = {.values = torch::stack(found).unsqueeze(1), .unit = "1"};
  solution.scalars["iterations"] = {.values = iterations, .unit = "1"};
  solution.scalars["relative_residual"] = {.values = residuals, .unit = "1"};
  return solution;
}

Tensor DiffusionSolver::matrix(const Sample& problem, const Sample&)
{
  agree(ranks_, [&] { equation_.check(problem); });
  Workspace& space = workspace(problem);
  space.assemble(in_float64(equation_.permeability(problem))[0]);
  return gathered(space.matrix.get(), space.mesh.get());
}

}  // namespace locum::solvers
