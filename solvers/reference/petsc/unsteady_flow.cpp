#include "unsteady_flow.hpp"

#include <fmt/format.h>
#include <locum/core/agree.hpp>
#include <locum/physics/flow/staggered_flow.hpp>

#include <algorithm>
#include <vector>

#include "../time_steps.hpp"
#include "gathering.hpp"
#include "handles.hpp"

namespace locum::solvers {

namespace staggered = physics::staggered;

static const std::map<std::string, std::string> default_options = {
    {"ksp_type", "preonly"},
    {"pc_type", "cholesky"},
    {"pc_factor_mat_solver_type", "mumps"},
};

/// What is kept between states on one grid. Velocities are vectors of a DMDA of two unknowns a cell, potentials of one
/// of one; both share their boxes.
struct UnsteadyFlowSolver::Workspace {
  Workspace(const Grid& grid, const Tensor& coefficients, const Communicator& ranks,
            const std::map<std::string, std::string>& own);

  void step(double duration);
  void set(const Tensor& velocity);
  Tensor get() const;

  const double* k(PetscInt j, PetscInt i) const
  {
    return posed.data_ptr<double>() + (j * nx + i) * staggered::coefficients;
  }
  template <class Body>
  void for_each_cell(const Body& body) const
  {
    for (PetscInt j = y0; j < y0 + height; ++j)
      for (PetscInt i = x0; i < x0 + width; ++i) body(j, i);
  }
  void assemble();
  void find_rate();
  void project();

  Grid grid;
  Tensor posed;  // [y, x, coefficient]
  PetscInt ny, nx;
  Communicator ranks;
  PetscOptionSet options;
  PetscDm faces, cells;
  PetscInt x0, y0, width, height;  // this rank's box
  PetscVec velocity, before, rate, nearby, outflow, potential, potential_nearby;
  PetscMat matrix;
  PetscKsp krylov;
};

/// A vector's values by row, column and unknown, until the end of the scope.
class Values {
 public:
  Values(const PetscDm& mesh, const PetscVec& vector) : mesh_(mesh.get()), vector_(vector.get())
  {
    check_petsc(DMDAVecGetArrayDOF(mesh_, vector_, &values_), "reaching for a vector's values");
  }
  ~Values() { static_cast<void>(DMDAVecRestoreArrayDOF(mesh_, vector_, &values_)); }
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;
  double* operator()(PetscInt j, PetscInt i) const { return values_[j][i]; }

 private:
  DM mesh_;
  Vec vector_;
  double*** values_ = nullptr;
};

static void fetch_neighbours(const PetscDm& mesh, const PetscVec& from, const PetscVec& to)
{
  check_petsc(DMGlobalToLocalBegin(mesh.get(), from.get(), INSERT_VALUES, to.get()), "exchanging neighbours");
  check_petsc(DMGlobalToLocalEnd(mesh.get(), from.get(), INSERT_VALUES, to.get()), "exchanging neighbours");
}

UnsteadyFlowSolver::Workspace::Workspace(const Grid& grid, const Tensor& coefficients, const Communicator& ranks,
                                         const std::map<std::string, std::string>& own)
    : grid(grid),
      posed(coefficients.permute({1, 2, 0}).contiguous()),
      ny(static_cast<PetscInt>(grid.axes[0].points)),
      nx(static_cast<PetscInt>(grid.axes[1].points)),
      ranks(ranks),
      options(default_options, own)
{
  const char* doing = "setting up the flow's equations";
  const PetscOptionSet::Scope scope(options);
  for (const auto& [unknowns, mesh] : {std::pair{2, &faces}, std::pair{1, &cells}}) {
    // Ghosts beyond the edge exist, and are zero.
    check_petsc(DMDACreate2d(ranks.raw(), DM_BOUNDARY_GHOSTED, DM_BOUNDARY_GHOSTED, DMDA_STENCIL_BOX, nx, ny,
                             PETSC_DECIDE, PETSC_DECIDE, unknowns, /*stencil width=*/1, nullptr, nullptr, mesh->out()),
                doing);
    check_petsc(DMSetUp(mesh->get()), doing);
  }
  check_petsc(DMDAGetCorners(cells.get(), &x0, &y0, nullptr, &width, &height, nullptr), doing);
  check_petsc(DMCreateGlobalVector(faces.get(), velocity.out()), doing);
  check_petsc(VecDuplicate(velocity.get(), before.out()), doing);
  check_petsc(VecDuplicate(velocity.get(), rate.out()), doing);
  check_petsc(DMCreateLocalVector(faces.get(), nearby.out()), doing);
  check_petsc(DMCreateGlobalVector(cells.get(), outflow.out()), doing);
  check_petsc(VecDuplicate(outflow.get(), potential.out()), doing);
  check_petsc(DMCreateLocalVector(cells.get(), potential_nearby.out()), doing);
  check_petsc(DMCreateMatrix(cells.get(), matrix.out()), doing);
  check_petsc(MatSetOption(matrix.get(), MAT_SPD, PETSC_TRUE), doing);
  assemble();
  check_petsc(KSPCreate(ranks.raw(), krylov.out()), doing);
  check_petsc(KSPSetOperators(krylov.get(), matrix.get(), matrix.get()), doing);
  check_petsc(KSPSetFromOptions(krylov.get()), doing);
  check_petsc(KSPSetUp(krylov.get()), doing);
  options.refuse_unused();
}

/// −D G: what flows out of a cell by the differences of the potential to its neighbours, and to the outlet's zero half
/// a cell away. Cells that nothing flows through keep a potential of zero.
void UnsteadyFlowSolver::Workspace::assemble()
{
  const char* doing = "assembling the pressure's equations";
  const double per_x = 1 / (grid.axes[1].spacing * grid.axes[1].spacing);
  const double per_y = 1 / (grid.axes[0].spacing * grid.axes[0].spacing);
  for_each_cell([&](PetscInt j, PetscInt i) {
    const MatStencil row{.k = 0, .j = j, .i = i, .c = 0};
    MatStencil columns[5] = {row};
    double values[5] = {0};
    PetscInt count = 1;
    const auto face = [&](bool open, PetscInt dj, PetscInt di, double conductance) {
      if (!open) return;
      values[0] += conductance;
      columns[count] = {.k = 0, .j = j + dj, .i = i + di, .c = 0};
      values[count++] = -conductance;
    };
    const bool at_outlet = k(j, i)[staggered::outlet] > 0 && k(j, i)[staggered::east_open] > 0;
    if (at_outlet) values[0] += 2 * per_x;
    face(!at_outlet && k(j, i)[staggered::east_open] > 0, 0, 1, per_x);
    face(i > 0 && k(j, i - 1)[staggered::east_open] > 0, 0, -1, per_x);
    face(k(j, i)[staggered::north_open] > 0, 1, 0, per_y);
    face(j > 0 && k(j - 1, i)[staggered::north_open] > 0, -1, 0, per_y);
    if (k(j, i)[staggered::balanced] == 0) values[0] = 1;
    check_petsc(MatSetValuesStencil(matrix.get(), 1, &row, count, columns, values, INSERT_VALUES), doing);
  });
  check_petsc(MatAssemblyBegin(matrix.get(), MAT_FINAL_ASSEMBLY), doing);
  check_petsc(MatAssemblyEnd(matrix.get(), MAT_FINAL_ASSEMBLY), doing);
}

/// rate = −u·∇u + ν Δu on the faces that are open.
void UnsteadyFlowSolver::Workspace::find_rate()
{
  fetch_neighbours(faces, velocity, nearby);
  const Values seen(faces, nearby), rates(faces, rate);
  for_each_cell([&](PetscInt j, PetscInt i) {
    std::array<double, staggered::neighbours> w{};  // without pressure
    for (int n = 0; n < staggered::p; ++n) {
      const auto [component, dy, dx] = staggered::places[n];
      w[n] = seen(j + dy, i + dx)[component];
    }
    const double* here = k(j, i);
    const auto left = staggered::residual(w.data(), here, grid.axes[1].spacing, grid.axes[0].spacing);
    rates(j, i)[0] = here[staggered::east_open] > 0 ? -left[0] : 0;
    rates(j, i)[1] = here[staggered::north_open] > 0 ? -left[1] : 0;
  });
}

void UnsteadyFlowSolver::Workspace::project()
{
  const double hx = grid.axes[1].spacing, hy = grid.axes[0].spacing;
  fetch_neighbours(faces, velocity, nearby);
  {
    const Values seen(faces, nearby), excess(cells, outflow);
    for_each_cell([&](PetscInt j, PetscInt i) {
      const double* here = k(j, i);
      const double along_x = seen(j, i)[0] - seen(j, i - 1)[0] - here[staggered::inflow];
      const double along_y = seen(j, i)[1] - seen(j - 1, i)[1];
      excess(j, i)[0] = here[staggered::balanced] > 0 ? -along_x / hx - along_y / hy : 0;
    });
  }
  check_petsc(KSPSolve(krylov.get(), outflow.get(), potential.get()), "solving for the pressure");
  KSPConvergedReason reason = KSP_CONVERGED_ITERATING;
  check_petsc(KSPGetConvergedReason(krylov.get(), &reason), "asking whether the pressure was found");
  if (reason < 0)
    throw SolverError({.doing = "projecting a velocity",
                       .where = "[solver.petsc]",
                       .found = fmt::format("KSP_{}", KSPConvergedReasons[reason]),
                       .expected = "a pressure",
                       .advice = "leave ksp_type and pc_type as they are by default"});
  fetch_neighbours(cells, potential, potential_nearby);
  const Values phi(cells, potential_nearby), faces_of(faces, velocity);
  for_each_cell([&](PetscInt j, PetscInt i) {
    const double* here = k(j, i);
    const double own = phi(j, i)[0];
    const double east = here[staggered::outlet] > 0 ? -own : phi(j, i + 1)[0];
    if (here[staggered::east_open] > 0) faces_of(j, i)[0] -= (east - own) / hx;
    if (here[staggered::north_open] > 0) faces_of(j, i)[1] -= (phi(j + 1, i)[0] - own) / hy;
  });
}

void UnsteadyFlowSolver::Workspace::step(double duration)
{
  const char* doing = "stepping the flow";
  check_petsc(VecCopy(velocity.get(), before.get()), doing);
  for (const double start : {0.0, 3.0 / 4.0, 1.0 / 3.0}) {  // Shu and Osher's stages
    find_rate();
    check_petsc(VecAXPY(velocity.get(), duration, rate.get()), doing);
    check_petsc(VecAXPBY(velocity.get(), start, 1 - start, before.get()), doing);
    project();
  }
}

void UnsteadyFlowSolver::Workspace::set(const Tensor& given)
{
  const auto from = given.accessor<double, 3>();
  const Values to(faces, velocity);
  for_each_cell([&](PetscInt j, PetscInt i) {
    to(j, i)[0] = k(j, i)[staggered::east_open] > 0 ? from[0][j][i] : 0;
    to(j, i)[1] = k(j, i)[staggered::north_open] > 0 ? from[1][j][i] : 0;
  });
}

Tensor UnsteadyFlowSolver::Workspace::get() const
{
  const Tensor whole = torch::zeros({2, ny, nx}, torch::kFloat64);
  auto to = whole.accessor<double, 3>();
  {
    const Values from(faces, velocity);
    for_each_cell([&](PetscInt j, PetscInt i) {
      for (int c = 0; c < 2; ++c) to[c][j][i] = from(j, i)[c];
    });
  }
  gather_parts(whole, ranks);
  return whole;
}

UnsteadyFlowSolver::UnsteadyFlowSolver(const physics::UnsteadyChannelFlow& equation, ProjectionOptions options,
                                       const Communicator& ranks, std::map<std::string, std::string> petsc)
    : equation_(equation), options_(options), ranks_(ranks), petsc_(std::move(petsc))
{
  require_step(equation, options.step);
}

UnsteadyFlowSolver::~UnsteadyFlowSolver() = default;

std::string UnsteadyFlowSolver::description() const
{
  return fmt::format("{}, projection with PETSc, step {}", equation_.name(), options_.step);
}

Sample UnsteadyFlowSolver::advance(const Sample& state, double duration)
{
  Tensor velocity, coefficients;
  std::int64_t steps = 0;
  agree(ranks_, [&] {
    steps = steps_in(equation_, duration, options_.step);
    coefficients = equation_.coefficients(state.grid());
    velocity = stack_channels(state, equation_.state()).detach().to(torch::kCPU, torch::kFloat64).contiguous();
    const std::vector<std::int64_t> shape = {state.batch(), 2, coefficients.size(1), coefficients.size(2)};
    if (velocity.sizes() != torch::IntArrayRef(shape))
      throw ShapeError({.doing = "advancing unsteady_channel_flow",
                        .where = "field velocity",
                        .found = to_string(velocity.sizes()),
                        .expected = to_string(shape),
                        .advice = ""});
  });
  if (!workspace_ || workspace_->grid.shape() != state.grid().shape()) try {
      workspace_ = std::make_unique<Workspace>(state.grid(), coefficients, ranks_, petsc_);
    } catch (const SolverError& error) {
      throw OptionError(error.report());  // no fault of this state: no other could be advanced either
    }
  std::vector<Tensor> advanced_members;
  const PetscOptionSet::Scope scope(workspace_->options);
  for (std::int64_t m = 0; m < velocity.size(0); ++m) {
    workspace_->set(velocity[m]);
    for (std::int64_t i = 0; i < steps; ++i) workspace_->step(duration / static_cast<double>(steps));
    advanced_members.push_back(workspace_->get());
  }
  return advanced(equation_, state, torch::stack(advanced_members), duration, "step", options_.step);
}

std::unique_ptr<EvolvingSolver> make_unsteady_flow_solver(const physics::UnsteadyChannelFlow& equation,
                                                          const ProjectionOptions& options, const Communicator& ranks,
                                                          const std::map<std::string, std::string>& petsc)
{
  return std::make_unique<UnsteadyFlowSolver>(equation, options, ranks, petsc);
}

}  // namespace locum::solvers
