#include "flow.hpp"

#include <fmt/format.h>
#include <petscsnes.h>
#include <locum/core/agree.hpp>
#include <locum/physics/flow/staggered_flow.hpp>

#include <cmath>
#include <vector>

#include "dual.hpp"
#include "gathering.hpp"
#include "handles.hpp"

namespace locum::solvers {

namespace staggered = physics::staggered;
using PetscSnes = Handle<SNES, nullptr, destroy<SNESDestroy, SNES>>;

static const std::map<std::string, std::string> default_options = {
    {"snes_type", "newtonls"}, {"snes_linesearch_type", "basic"},
    {"snes_rtol", "1e-10"},    {"snes_stol", "0"},  // small steps are no proof of a small residual
    {"snes_max_it", "30"},     {"ksp_type", "preonly"},
    {"pc_type", "lu"},         {"pc_factor_mat_solver_type", "mumps"},
};

static std::string setting(const std::map<std::string, std::string>& own, const std::string& name)
{
  const auto found = own.find(name);
  if (found != own.end()) return found->second;
  const auto ours = default_options.find(name);
  return ours == default_options.end() ? "" : ours->second;
}

struct Outcome {
  SNESConvergedReason reason = SNES_CONVERGED_ITERATING;
  PetscInt iterations = 0;
  double residual = 0;  ///< ‖F‖
};

/// What is kept between problems on one grid: vectors hold the three unknowns of a cell side by side, x fastest.
struct FlowSolver::Workspace {
  Workspace(const Grid& grid, const Communicator& ranks, const std::map<std::string, std::string>& own);

  /// Problem to be solved next. @param coefficients  [coefficient, y, x]
  void pose(const Tensor& coefficients);
  void start_from(const Tensor& unknowns);
  /// @param at_rest  ‖F(at rest)‖, what snes_rtol is relative to, whatever the start
  Outcome solve(double at_rest);
  Tensor unknowns() const;

  static PetscErrorCode residual(SNES, Vec x, Vec f, void* workspace);
  static PetscErrorCode jacobian(SNES, Vec x, Mat, Mat matrix, void* workspace);
  /// Calls body(j, i, values by Neighbour, coefficients) for the cells of this rank.
  template <class Body>
  PetscErrorCode for_each_cell(Vec x, const Body& body);

  Grid grid;
  PetscInt ny, nx;
  Communicator ranks;
  PetscOptionSet options;
  PetscDm mesh;
  PetscInt x0, y0, width, height;  // this rank's box
  PetscMat matrix;
  PetscVec local, solution, left;
  PetscSnes newton;
  double tolerance = 0;  // relative
  Tensor posed;          // [y, x, coefficient]
};

FlowSolver::Workspace::Workspace(const Grid& grid, const Communicator& ranks,
                                 const std::map<std::string, std::string>& own)
    : grid(grid),
      ny(static_cast<PetscInt>(grid.axes[0].points)),
      nx(static_cast<PetscInt>(grid.axes[1].points)),
      ranks(ranks),
      options(default_options, own)
{
  const char* doing = "setting up the flow's equations";
  const PetscOptionSet::Scope scope(options);
  // Ghosts beyond the edge exist, and are zero.
  check_petsc(
      DMDACreate2d(ranks.raw(), DM_BOUNDARY_GHOSTED, DM_BOUNDARY_GHOSTED, DMDA_STENCIL_BOX, nx, ny, PETSC_DECIDE,
                   PETSC_DECIDE, staggered::components, /*stencil width=*/1, nullptr, nullptr, mesh.out()),
      doing);
  check_petsc(DMSetUp(mesh.get()), doing);
  check_petsc(DMDAGetCorners(mesh.get(), &x0, &y0, nullptr, &width, &height, nullptr), doing);
  check_petsc(DMSetMatType(mesh.get(), MATAIJ), doing);
  check_petsc(DMCreateMatrix(mesh.get(), matrix.out()), doing);
  check_petsc(DMCreateLocalVector(mesh.get(), local.out()), doing);
  check_petsc(DMCreateGlobalVector(mesh.get(), solution.out()), doing);
  check_petsc(VecDuplicate(solution.get(), left.out()), doing);
  check_petsc(SNESCreate(ranks.raw(), newton.out()), doing);
  check_petsc(SNESSetDM(newton.get(), mesh.get()), doing);
  check_petsc(SNESSetFunction(newton.get(), left.get(), residual, this), doing);
  check_petsc(SNESSetJacobian(newton.get(), matrix.get(), matrix.get(), jacobian, this), doing);
  check_petsc(SNESSetFromOptions(newton.get()), doing);
  check_petsc(SNESGetTolerances(newton.get(), nullptr, &tolerance, nullptr, nullptr, nullptr), doing);
}

void FlowSolver::Workspace::pose(const Tensor& coefficients) { posed = coefficients.permute({1, 2, 0}).contiguous(); }

void FlowSolver::Workspace::start_from(const Tensor& unknowns)
{
  const Tensor cells = unknowns.permute({1, 2, 0}).contiguous();
  double*** values = nullptr;
  check_petsc(DMDAVecGetArrayDOF(mesh.get(), solution.get(), &values), "setting the start");
  const auto given = cells.accessor<double, 3>();
  for (PetscInt j = y0; j < y0 + height; ++j)
    for (PetscInt i = x0; i < x0 + width; ++i)
      for (int c = 0; c < staggered::components; ++c) values[j][i][c] = given[j][i][c];
  check_petsc(DMDAVecRestoreArrayDOF(mesh.get(), solution.get(), &values), "setting the start");
}

template <class Body>
PetscErrorCode FlowSolver::Workspace::for_each_cell(Vec x, const Body& body)
{
  PetscFunctionBeginUser;
  PetscCall(DMGlobalToLocalBegin(mesh.get(), x, INSERT_VALUES, local.get()));
  PetscCall(DMGlobalToLocalEnd(mesh.get(), x, INSERT_VALUES, local.get()));
  double*** values = nullptr;
  PetscCall(DMDAVecGetArrayDOFRead(mesh.get(), local.get(), &values));
  for (PetscInt j = y0; j < y0 + height; ++j)
    for (PetscInt i = x0; i < x0 + width; ++i) {
      std::array<double, staggered::neighbours> seen;
      for (int n = 0; n < staggered::neighbours; ++n) {
        const auto [component, dy, dx] = staggered::places[n];
        seen[n] = values[j + dy][i + dx][component];
      }
      PetscCall(body(j, i, seen, posed.data_ptr<double>() + (j * nx + i) * staggered::coefficients));
    }
  PetscCall(DMDAVecRestoreArrayDOFRead(mesh.get(), local.get(), &values));
  PetscFunctionReturn(0);
}

PetscErrorCode FlowSolver::Workspace::residual(SNES, Vec x, Vec f, void* workspace)
{
  PetscFunctionBeginUser;
  auto& self = *static_cast<Workspace*>(workspace);
  double*** left = nullptr;
  PetscCall(DMDAVecGetArrayDOF(self.mesh.get(), f, &left));
  PetscCall(self.for_each_cell(x, [&](PetscInt j, PetscInt i, const auto& seen, const double* k) {
    const auto here = staggered::residual(seen.data(), k, self.grid.axes[1].spacing, self.grid.axes[0].spacing);
    std::copy(here.begin(), here.end(), left[j][i]);
    return PetscErrorCode(0);
  }));
  PetscCall(DMDAVecRestoreArrayDOF(self.mesh.get(), f, &left));
  PetscFunctionReturn(0);
}

PetscErrorCode FlowSolver::Workspace::jacobian(SNES, Vec x, Mat, Mat matrix, void* workspace)
{
  PetscFunctionBeginUser;
  auto& self = *static_cast<Workspace*>(workspace);
  using Number = Dual<staggered::neighbours>;
  PetscCall(self.for_each_cell(x, [&](PetscInt j, PetscInt i, const auto& seen, const double* k) {
    std::array<Number, staggered::neighbours> variables;
    std::array<MatStencil, staggered::neighbours> columns;
    for (int n = 0; n < staggered::neighbours; ++n) {
      const auto [component, dy, dx] = staggered::places[n];
      variables[n] = Number::variable(seen[n], n);
      columns[n] = {.k = 0, .j = j + dy, .i = i + dx, .c = component};
    }
    const auto here = staggered::residual(variables.data(), k, self.grid.axes[1].spacing, self.grid.axes[0].spacing);
    for (int c = 0; c < staggered::components; ++c) {
      const MatStencil row{.k = 0, .j = j, .i = i, .c = c};
      PetscCall(MatSetValuesStencil(matrix, 1, &row, staggered::neighbours, columns.data(), here[c].slope.data(),
                                    INSERT_VALUES));
    }
    return PetscErrorCode(0);
  }));
  PetscCall(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}

Outcome FlowSolver::Workspace::solve(double at_rest)
{
  const PetscOptionSet::Scope scope(options);
  check_petsc(
      SNESSetTolerances(newton.get(), tolerance * at_rest, /*rtol=*/0, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT),
      "setting the tolerance");
  check_petsc(SNESSolve(newton.get(), nullptr, solution.get()), "solving for the flow");
  options.refuse_unused();
  Outcome outcome;
  check_petsc(SNESGetConvergedReason(newton.get(), &outcome.reason), "asking why Newton's method ended");
  check_petsc(SNESGetIterationNumber(newton.get(), &outcome.iterations), "counting Newton's steps");
  check_petsc(residual(newton.get(), solution.get(), left.get(), this), "evaluating the residual");
  check_petsc(VecNorm(left.get(), NORM_2, &outcome.residual), "evaluating the residual");
  return outcome;
}

Tensor FlowSolver::Workspace::unknowns() const
{
  const Tensor cells = torch::zeros({ny, nx, staggered::components}, torch::kFloat64);
  double*** values = nullptr;
  check_petsc(DMDAVecGetArrayDOFRead(mesh.get(), solution.get(), &values), "reading the flow");
  for (PetscInt j = y0; j < y0 + height; ++j)
    std::copy_n(values[j][x0], width * staggered::components,
                cells.data_ptr<double>() + (j * nx + x0) * staggered::components);
  check_petsc(DMDAVecRestoreArrayDOFRead(mesh.get(), solution.get(), &values), "reading the flow");
  gather_parts(cells, ranks);
  return cells.permute({2, 0, 1}).contiguous();
}

FlowSolver::FlowSolver(const physics::IncompressibleFlow& equation, const Communicator& ranks,
                       std::map<std::string, std::string> options)
    : equation_(equation), ranks_(ranks), options_(std::move(options))
{
}

FlowSolver::~FlowSolver() = default;

std::string FlowSolver::description() const
{
  return fmt::format("{}, PETSc {} + {}", equation_.name(), setting(options_, "snes_type"),
                     setting(options_, "pc_type"));
}

FlowSolver::Workspace& FlowSolver::workspace(const Grid& grid)
{
  if (!workspace_ || workspace_->grid != grid) try {
      workspace_ = std::make_unique<Workspace>(grid, ranks_, options_);
    } catch (const SolverError& error) {
      throw OptionError(error.report());  // no fault of this problem: no other could be solved either
    }
  return *workspace_;
}

Sample FlowSolver::solve(const Sample& problem) { return solve_from(problem, {}); }

Sample FlowSolver::solve(const Sample& problem, const Sample& guess)
{
  Tensor start;
  agree(ranks_, [&] { start = equation_.unknowns(problem, guess).detach(); });
  return solve_from(problem, start);
}

Sample FlowSolver::solve_from(const Sample& problem, const Tensor& start)
{
  Tensor coefficients, at_rest;
  agree(ranks_, [&] {
    coefficients = equation_.coefficients(problem);
    at_rest = equation_.forcing(problem).flatten(1).norm(2, 1);
  });
  Workspace& space = workspace(problem.grid());
  const auto members = coefficients.size(0);
  std::vector<Tensor> found;
  const Tensor iterations = torch::zeros({members}, torch::kFloat64), residuals = torch::zeros_like(iterations);
  for (std::int64_t m = 0; m < members; ++m) {
    const double scale = at_rest[m].item<double>();
    const auto attempt = [&](double thicker, const Tensor& from) {
      Tensor k = coefficients[m].clone();
      k[staggered::viscosity] *= thicker;
      space.pose(k);
      space.start_from(from);
      const Outcome outcome = space.solve(scale);
      iterations[m] += static_cast<double>(outcome.iterations);
      residuals[m] = outcome.residual / scale;
      return outcome;
    };
    const Tensor rest = torch::zeros({staggered::components, space.ny, space.nx}, torch::kFloat64);
    Outcome outcome = attempt(1, start.defined() ? start[m] : rest);
    if (outcome.reason < 0) {
      Tensor from = rest;
      for (double thicker = 8; thicker > 0.75; thicker /= 2) {
        outcome = attempt(thicker, from);
        if (outcome.reason < 0) break;
        from = space.unknowns();
      }
    }
    if (outcome.reason < 0 || !std::isfinite(outcome.residual))
      throw SolverError({.doing = "solving the reference problem",
                         .where = fmt::format("member {} of {}, [solver.petsc]", m, members),
                         .found = fmt::format("SNES_{} after {} iterations, relative residual {:.1e}",
                                              SNESConvergedReasons[outcome.reason], iterations[m].item<double>(),
                                              residuals[m].item<double>()),
                         .expected = fmt::format("{:.0e}", space.tolerance),
                         .advice = "a finer grid, a more viscous fluid, or snes_linesearch_type = \"bt\""});
    found.push_back(space.unknowns());
  }
  Sample solution = equation_.solution(problem, torch::stack(found));
  solution.scalars["iterations"] = {.values = iterations, .unit = "1"};
  solution.scalars["relative_residual"] = {.values = residuals, .unit = "1"};
  return solution;
}

Tensor FlowSolver::matrix(const Sample& problem, const Sample& solution)
{
  Tensor coefficients, at;
  agree(ranks_, [&] {
    coefficients = equation_.coefficients(problem);
    at = equation_.unknowns(problem, solution).detach();
  });
  Workspace& space = workspace(problem.grid());
  space.pose(coefficients[0]);
  space.start_from(at[0]);
  check_petsc(Workspace::jacobian(nullptr, space.solution.get(), nullptr, space.matrix.get(), &space),
              "assembling the Jacobian");
  return gathered(space.matrix.get(), space.mesh.get());
}

}  // namespace locum::solvers
