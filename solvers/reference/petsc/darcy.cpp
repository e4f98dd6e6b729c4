#include "darcy.hpp"

#include <fmt/format.h>
#include <locum/core/agree.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include "handles.hpp"

namespace locum::solvers {

static const std::map<std::string, std::string> default_options = {
    {"ksp_type", "cg"},
    {"ksp_norm_type", "unpreconditioned"},  // so that ksp_rtol speaks of the residual itself
    {"ksp_rtol", "1e-8"},
    {"pc_type", "gamg"},
    {"pc_gamg_reuse_interpolation", "true"},  // see Workspace's constructor
    // Symmetric Gauss–Seidel needs no bound on eigenvalues. Chebyshev's is a guess, which permeabilities that vary by
    // 10⁶ and more prove wrong, and takes longer to make than to use.
    {"mg_levels_ksp_type", "richardson"},
    {"mg_levels_ksp_max_it", "1"},
    {"mg_levels_pc_type", "sor"},
};

static std::string setting(const std::map<std::string, std::string>& own, const std::string& name)
{
  const auto found = own.find(name);
  return found == own.end() ? default_options.at(name) : found->second;
}

/// How an iteration ended.
struct Outcome {
  KSPConvergedReason reason = KSP_CONVERGED_ITERATING;
  PetscInt iterations = 0;
  double tolerance = 0;
  double relative_residual = 0;
};

/// What is kept between problems on one grid: [y][x] cells, global vectors with x fastest on each rank's box.
struct DarcySolver::Workspace {
  Workspace(PetscInt ny, PetscInt nx, MPI_Comm comm, const std::map<std::string, std::string>& own);

  void assemble(const double* a, const double* f);
  Outcome solve(double* u);

  PetscInt ny, nx;
  PetscOptionSet options;
  PetscDm mesh;
  PetscInt x0, y0, width, height;  // this rank's box
  PetscMat matrix;
  PetscVec rhs, solution, residual;
  PetscKsp krylov;
};

DarcySolver::Workspace::Workspace(PetscInt ny, PetscInt nx, MPI_Comm comm,
                                  const std::map<std::string, std::string>& own)
    : ny(ny), nx(nx), options(default_options, own)
{
  const char* doing = "setting up the Darcy system";
  const PetscOptionSet::Scope scope(options);
  check_petsc(DMDACreate2d(comm, DM_BOUNDARY_NONE, DM_BOUNDARY_NONE, DMDA_STENCIL_STAR, nx, ny, PETSC_DECIDE,
                           PETSC_DECIDE, /*fields=*/1, /*stencil width=*/1, nullptr, nullptr, mesh.out()),
              doing);
  check_petsc(DMSetUp(mesh.get()), doing);
  check_petsc(DMDAGetCorners(mesh.get(), &x0, &y0, nullptr, &width, &height, nullptr), doing);
  check_petsc(DMCreateMatrix(mesh.get(), matrix.out()), doing);
  check_petsc(MatSetOption(matrix.get(), MAT_SPD, PETSC_TRUE), doing);
  check_petsc(DMCreateGlobalVector(mesh.get(), rhs.out()), doing);
  check_petsc(VecDuplicate(rhs.get(), solution.out()), doing);
  check_petsc(VecDuplicate(rhs.get(), residual.out()), doing);
  check_petsc(KSPCreate(comm, krylov.out()), doing);
  check_petsc(KSPSetDM(krylov.get(), mesh.get()), doing);  // preconditioners may ask for the grid
  check_petsc(KSPSetDMActive(krylov.get(), PETSC_FALSE), doing);
  check_petsc(KSPSetOperators(krylov.get(), matrix.get(), matrix.get()), doing);
  check_petsc(KSPSetFromOptions(krylov.get()), doing);

  // Multigrid keeps the interpolation it builds first. Built here, for a = 1, it saves more than half of a solve's time
  // and does not depend on which problem came first; conjugate gradients take about as many iterations.
  const std::vector<double> ones(static_cast<std::size_t>(ny) * static_cast<std::size_t>(nx), 1.0);
  assemble(ones.data(), ones.data());
  check_petsc(KSPSetUp(krylov.get()), doing);
  options.refuse_unused();
}

void DarcySolver::Workspace::assemble(const double* a, const double* f)
{
  const char* doing = "assembling the Darcy system";
  const auto at = [&](const double* field, PetscInt j, PetscInt i) { return field[j * nx + i]; };
  const double per_hy2 = double(ny) * double(ny), per_hx2 = double(nx) * double(nx);

  double* b = nullptr;
  check_petsc(VecGetArray(rhs.get(), &b), doing);
  for (PetscInt j = y0; j < y0 + height; ++j)
    for (PetscInt i = x0; i < x0 + width; ++i) {
      const double here = at(a, j, i);
      MatStencil row{.k = 0, .j = j, .i = i, .c = 0};
      MatStencil columns[5] = {row};
      double values[5] = {0};
      PetscInt count = 1;
      const auto face = [&](PetscInt dj, PetscInt di, double per_h2) {
        const bool inside = j + dj >= 0 && j + dj < ny && i + di >= 0 && i + di < nx;
        if (!inside) {  // u = 0 half a cell away
          values[0] += 2 * here * per_h2;
          return;
        }
        const double there = at(a, j + dj, i + di);
        const double conductance = 2 * here * there / (here + there) * per_h2;
        values[0] += conductance;
        values[count] = -conductance;
        columns[count++] = {.k = 0, .j = j + dj, .i = i + di, .c = 0};
      };
      face(-1, 0, per_hy2);
      face(0, -1, per_hx2);
      face(0, 1, per_hx2);
      face(1, 0, per_hy2);
      check_petsc(MatSetValuesStencil(matrix.get(), 1, &row, count, columns, values, INSERT_VALUES), doing);
      b[(j - y0) * width + i - x0] = at(f, j, i);
    }
  check_petsc(VecRestoreArray(rhs.get(), &b), doing);
  check_petsc(MatAssemblyBegin(matrix.get(), MAT_FINAL_ASSEMBLY), doing);
  check_petsc(MatAssemblyEnd(matrix.get(), MAT_FINAL_ASSEMBLY), doing);
}

Outcome DarcySolver::Workspace::solve(double* u)
{
  const char* doing = "solving the Darcy system";
  const PetscOptionSet::Scope scope(options);
  check_petsc(KSPSetOperators(krylov.get(), matrix.get(), matrix.get()), doing);  // the same, with other values
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

  const double* values = nullptr;
  check_petsc(VecGetArrayRead(solution.get(), &values), doing);
  for (PetscInt j = 0; j < height; ++j) std::copy_n(values + j * width, width, u + (y0 + j) * nx + x0);
  check_petsc(VecRestoreArrayRead(solution.get(), &values), doing);
  return outcome;
}

static std::string advice(const Outcome& outcome, const std::string& preconditioner)
{
  if (preconditioner != "gamg") return "pc_type = \"gamg\"";
  if (outcome.reason == KSP_DIVERGED_ITS) return fmt::format("ksp_max_it = {}", 10 * outcome.iterations);
  return "pc_gamg_reuse_interpolation = false, or pc_type = \"cholesky\" on one rank";
}

DarcySolver::DarcySolver(physics::Darcy equation, const Communicator& ranks, std::map<std::string, std::string> options)
    : equation_(std::move(equation)), ranks_(ranks), options_(std::move(options))
{
}

DarcySolver::~DarcySolver() = default;

std::string DarcySolver::description() const
{
  return fmt::format("darcy, PETSc {} + {}", setting(options_, "ksp_type"), setting(options_, "pc_type"));
}

Sample DarcySolver::solve(const Sample& problem)
{
  agree(ranks_, [&] { equation_.check(problem); });
  const auto in_float64 = [](const Tensor& values) {
    return values.detach().to(torch::kCPU, torch::kFloat64).contiguous();
  };
  const Tensor a = in_float64(problem.field("permeability").values);
  const Tensor f = in_float64(equation_.forcing(problem));
  const auto members = a.size(0), ny = a.size(2), nx = a.size(3);

  if (!workspace_ || workspace_->ny != ny || workspace_->nx != nx) try {
      workspace_ = std::make_unique<Workspace>(ny, nx, ranks_.raw(), options_);
    } catch (const SolverError& error) {
      throw OptionError(error.report());  // no fault of this problem: no other could be solved either
    }

  const Tensor u = torch::zeros_like(a);
  const Tensor iterations = torch::empty({members}, torch::kFloat64), residuals = torch::empty_like(iterations);
  for (std::int64_t m = 0; m < members; ++m) {
    workspace_->assemble(a[m].data_ptr<double>(), f[m].data_ptr<double>());
    double* pressure = u[m].data_ptr<double>();
    const Outcome outcome = workspace_->solve(pressure);
    if (outcome.reason < 0 || !std::isfinite(outcome.relative_residual))
      throw SolverError(
          {.doing = "solving the reference problem",
           .where = fmt::format("member {} of {}, [solver.petsc]", m, members),
           .found = fmt::format("KSP_{} after {} iterations, relative residual {:.1e}",
                                KSPConvergedReasons[outcome.reason], outcome.iterations, outcome.relative_residual),
           .expected = fmt::format("{:.0e}", outcome.tolerance),
           .advice = advice(outcome, setting(options_, "pc_type"))});
    iterations[m] = outcome.iterations;
    residuals[m] = outcome.relative_residual;

    // Each rank has filled in its own box and left zeros elsewhere.
    if (ranks_.size() > 1)
      MPI_Allreduce(MPI_IN_PLACE, pressure, static_cast<int>(ny * nx), MPI_DOUBLE, MPI_SUM, ranks_.raw());
  }

  Sample solution{.domain = problem.domain, .fields = {}, .scalars = {}, .time = problem.time};
  solution.fields["pressure"] = {.values = u, .unit = "1"};
  solution.scalars["iterations"] = {.values = iterations, .unit = "1"};
  solution.scalars["relative_residual"] = {.values = residuals, .unit = "1"};
  return solution;
}

}  // namespace locum::solvers
