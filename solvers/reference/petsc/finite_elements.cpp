#include "finite_elements.hpp"

#include <fmt/format.h>
#include <locum/core/agree.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include "gathering.hpp"
#include "handles.hpp"

namespace locum::solvers {

using physics::ElementSystem;

using PetscNullSpace = Handle<MatNullSpace, nullptr, destroy<MatNullSpaceDestroy, MatNullSpace>>;

static const std::map<std::string, std::string> symmetric_options = {
    {"ksp_type", "cg"},
    {"ksp_norm_type", "unpreconditioned"},  // so that ksp_rtol speaks of the residual itself
    {"ksp_rtol", "1e-8"},
    {"pc_type", "gamg"},
    {"pc_gamg_threshold", "0"},  // zeros of the matrix, between prescribed unknowns and others, are no couplings
    // An aggregate of few vertices has fewer unknowns than there are rigid motions, and zeros on the diagonal of the
    // next level: Gauss–Seidel would divide by them, PETSc's Jacobi leaves these unknowns alone.
    {"mg_levels_ksp_type", "chebyshev"},
    {"mg_levels_ksp_max_it", "2"},
    {"mg_levels_pc_type", "jacobi"},
};

static const std::map<std::string, std::string> other_options = {
    {"ksp_type", "gmres"},  {"ksp_pc_side", "right"},      {"ksp_norm_type", "unpreconditioned"},
    {"ksp_rtol", "1e-8"},   {"ksp_gmres_restart", "100"},  {"pc_type", "bjacobi"},
    {"sub_pc_type", "ilu"}, {"sub_pc_factor_levels", "1"},
};

static const std::map<std::string, std::string>& defaults(bool symmetric)
{
  return symmetric ? symmetric_options : other_options;
}

namespace {

/// How an iteration ended.
struct Outcome {
  KSPConvergedReason reason = KSP_CONVERGED_ITERATING;
  PetscInt iterations = 0;
  double tolerance = 0;
  double relative_residual = 0;
};

/// An order of the vertices in which each of `parts` contiguous ranges, of about equal size, lies in a box of its own:
/// recursive bisection across the longest side (Berger and Bokhari 1987).
///
/// Every rank has the whole mesh, as every rank is given the whole problem, so it finds this alone; distributing a
/// DMPlex would take more code and messages, and bring nothing, before meshes are too large for one rank's memory.
void bisect(const Tensor& positions, std::int64_t* begin, std::int64_t* end, int parts)
{
  if (parts < 2 || end - begin < 2) return;
  const auto dimension = positions.size(1);
  const double* x = positions.data_ptr<double>();
  std::int64_t longest = 0;
  double length = -1;
  for (std::int64_t d = 0; d < dimension; ++d) {
    double low = x[*begin * dimension + d], high = low;
    for (const std::int64_t* v = begin; v != end; ++v) {
      low = std::min(low, x[*v * dimension + d]);
      high = std::max(high, x[*v * dimension + d]);
    }
    if (high - low > length) {
      length = high - low;
      longest = d;
    }
  }
  const int left = parts / 2;
  std::int64_t* middle = begin + (end - begin) * left / parts;
  std::nth_element(begin, middle, end, [&](std::int64_t a, std::int64_t b) {
    const double xa = x[a * dimension + longest], xb = x[b * dimension + longest];
    return xa < xb || (xa == xb && a < b);
  });
  bisect(positions, begin, middle, left);
  bisect(positions, middle, end, parts - left);
}

Tensor partition(const Tensor& vertices, int parts)
{
  const Tensor order = torch::arange(vertices.size(0));
  const Tensor positions = vertices.detach().to(torch::kFloat64).contiguous();
  auto* first = order.data_ptr<std::int64_t>();
  bisect(positions, first, first + order.numel(), parts);
  return order;
}

/// Unknowns as PETSc numbers them: rank after rank, vertex by vertex.
struct Numbering {
  Tensor numbers;                ///< Of each unknown of the mesh, int64.
  Tensor own;                    ///< Unknowns of this rank, in PETSc's order, int64.
  PetscInt first = 0, size = 0;  ///< Range of PETSc's numbers that are this rank's.
  PetscInt total = 0;
  PetscInt components = 1;
};

Numbering number(const Tensor& vertices, std::int64_t components, const Communicator& ranks)
{
  const Tensor order = partition(vertices, ranks.size());
  const auto count = order.size(0);
  // The ranges that bisection made: of n vertices the first part · n / parts.
  const auto range = [&] {
    std::int64_t begin = 0, end = count;
    int first = 0, parts = ranks.size();
    while (parts > 1 && end - begin >= 2) {
      const int left = parts / 2;
      const std::int64_t middle = begin + (end - begin) * left / parts;
      if (ranks.rank() < first + left) end = middle, parts = left;
      else begin = middle, first += left, parts -= left;
    }
    if (parts > 1 && ranks.rank() > first) begin = end;  // fewer vertices than ranks
    return std::pair{begin, end};
  }();
  const Tensor all = (order.unsqueeze(1) * components + torch::arange(components)).flatten();
  Numbering numbering;
  numbering.numbers = torch::empty_like(all).scatter(0, all, torch::arange(all.size(0)));
  numbering.own = all.slice(0, range.first * components, range.second * components);
  numbering.first = static_cast<PetscInt>(range.first * components);
  numbering.size = static_cast<PetscInt>((range.second - range.first) * components);
  numbering.total = static_cast<PetscInt>(all.size(0));
  numbering.components = static_cast<PetscInt>(components);
  return numbering;
}

/// This rank's part of some values of all unknowns, as a vector.
PetscVec vector_of(const Tensor& values, const Numbering& numbering, MPI_Comm comm, const char* doing)
{
  PetscVec vector;
  check_petsc(VecCreate(comm, vector.out()), doing);
  check_petsc(VecSetSizes(vector.get(), numbering.size, numbering.total), doing);
  check_petsc(VecSetBlockSize(vector.get(), numbering.components), doing);
  check_petsc(VecSetType(vector.get(), VECSTANDARD), doing);
  const Tensor own = values.index_select(0, numbering.own).contiguous();
  double* entries = nullptr;
  check_petsc(VecGetArray(vector.get(), &entries), doing);
  std::copy_n(own.data_ptr<double>(), own.numel(), entries);
  check_petsc(VecRestoreArray(vector.get(), &entries), doing);
  return vector;
}

/// The matrix of a mesh: where its entries are, from the cells; their values come later, as often as is wanted.
class SumOfCells {
 public:
  SumOfCells(const ElementSystem& system, const Numbering& numbering, MPI_Comm comm)
  {
    const char* doing = "laying out the matrix of the mesh";
    // A cell matters to a rank that has one of its rows; what others have is left to them, so that nothing is sent.
    const Tensor numbers = numbering.numbers.index_select(0, system.unknowns.flatten()).view(system.unknowns.sizes());
    const Tensor here = (numbers >= numbering.first).logical_and(numbers < numbering.first + numbering.size);
    cells_ = here.any(1).nonzero().flatten();
    const Tensor columns = numbers.index_select(0, cells_);
    const Tensor rows = columns.masked_fill(here.index_select(0, cells_).logical_not(), -1);  // PETSc leaves these out
    constexpr auto index = sizeof(PetscInt) == 8 ? torch::kInt64 : torch::kInt32;
    const std::vector<std::int64_t> shape = {columns.size(0), columns.size(1), columns.size(1)};
    Tensor i = rows.unsqueeze(2).expand(shape).to(index).contiguous();
    Tensor j = columns.unsqueeze(1).expand(shape).to(index).contiguous();
    check_petsc(MatCreate(comm, matrix_.out()), doing);
    check_petsc(MatSetSizes(matrix_.get(), numbering.size, numbering.size, numbering.total, numbering.total), doing);
    check_petsc(MatSetBlockSize(matrix_.get(), numbering.components), doing);
    check_petsc(MatSetType(matrix_.get(), MATAIJ), doing);
    check_petsc(MatSetPreallocationCOO(matrix_.get(), i.numel(), static_cast<PetscInt*>(i.data_ptr()),
                                       static_cast<PetscInt*>(j.data_ptr())),
                doing);
  }

  void fill(const ElementSystem& system)
  {
    const Tensor values = system.matrices.index_select(0, cells_).contiguous();
    check_petsc(MatSetValuesCOO(matrix_.get(), values.data_ptr<double>(), INSERT_VALUES), "adding up cells");
  }

  Mat get() const { return matrix_.get(); }

 private:
  PetscMat matrix_;
  Tensor cells_;  // those with rows of this rank
};

/// What multigrid must carry over to coarser levels exactly.
PetscNullSpace near_null_space(const Tensor& kernel, const Numbering& numbering, MPI_Comm comm, const char* doing)
{
  const Tensor modes = std::get<0>(torch::linalg_qr(kernel, "reduced"));
  std::vector<PetscVec> vectors;
  std::vector<Vec> raw;
  for (std::int64_t i = 0; i < modes.size(1); ++i) {
    vectors.push_back(vector_of(modes.select(1, i), numbering, comm, doing));
    raw.push_back(vectors.back().get());
  }
  PetscNullSpace space;
  check_petsc(MatNullSpaceCreate(comm, PETSC_FALSE, static_cast<PetscInt>(raw.size()), raw.data(), space.out()), doing);
  return space;
}

std::string advice(const Outcome& outcome, bool symmetric)
{
  if (outcome.reason == KSP_DIVERGED_ITS) return fmt::format("ksp_max_it = {}", 10 * outcome.iterations);
  return symmetric ? "pc_type = \"cholesky\" on one rank" : "pc_type = \"lu\" on one rank, or a finer mesh";
}

}  // namespace

FiniteElementSolver::FiniteElementSolver(const physics::MeshEquation& equation, const Communicator& ranks,
                                         std::map<std::string, std::string> options)
    : equation_(equation), ranks_(ranks), options_(std::move(options))
{
}

std::string FiniteElementSolver::description() const
{
  Sample usual;
  for (const std::string& name : equation_.inputs()) usual.fields[name];
  const auto& own_defaults = defaults(equation_.is_symmetric(usual));
  const auto setting = [&](const char* name) {
    const auto own = options_.find(name);
    return own == options_.end() ? own_defaults.at(name) : own->second;
  };
  return fmt::format("{} by finite elements, PETSc {} + {}", equation_.name(), setting("ksp_type"), setting("pc_type"));
}

Sample FiniteElementSolver::solve(const Sample& problem) { return solve_from(problem, {}); }

Sample FiniteElementSolver::solve(const Sample& problem, const Sample& guess)
{
  Tensor start;
  agree(ranks_, [&] {
    start = guess.field(equation_.unknown()).values.detach().to(torch::kCPU, torch::kFloat64);
    equation_.residual(problem, guess);  // refuses another shape
  });
  return solve_from(problem, start);
}

Tensor FiniteElementSolver::matrix(const Sample& problem, const Sample&)
{
  torch::NoGradGuard no_gradients;
  ElementSystem system;
  agree(ranks_, [&] {  // every rank has all cells: nothing is gathered
    equation_.check(problem);
    system = equation_.system(problem, 0);
  });
  const auto own = system.unknowns.size(1), size = system.right_side.size(0);
  const Tensor rows = system.unknowns.unsqueeze(2).expand({-1, own, own});
  const Tensor columns = system.unknowns.unsqueeze(1).expand({-1, own, own});
  const Tensor places = torch::stack({rows.flatten(), columns.flatten()});
  return torch::sparse_coo_tensor(places, system.matrices.flatten(), {size, size}).coalesce().to_sparse_csr();
}

/// @param start  [batch, component, vertex]; undefined: 0
Sample FiniteElementSolver::solve_from(const Sample& problem, const Tensor& start)
{
  torch::NoGradGuard no_gradients;
  const char* doing = "solving the finite element system";
  agree(ranks_, [&] { equation_.check(problem); });
  const Mesh& mesh = physics::mesh_of(problem);
  const auto components = equation_.components(mesh), members = problem.batch();
  const bool symmetric = equation_.is_symmetric(problem);

  const PetscOptionSet options(defaults(symmetric), options_);
  const PetscOptionSet::Scope scope(options);
  const Numbering numbering = number(mesh.vertices, components, ranks_);
  const MPI_Comm comm = ranks_.raw();
  const PetscNullSpace near_kernel = near_null_space(equation_.kernel(mesh), numbering, comm, doing);
  std::unique_ptr<SumOfCells> matrix;

  std::vector<Tensor> solutions;
  const Tensor iterations = torch::empty({members}, torch::kFloat64), residuals = torch::empty_like(iterations);
  for (std::int64_t m = 0; m < members; ++m) {
    ElementSystem system;
    agree(ranks_, [&] { system = equation_.system(problem, m); });
    if (!matrix) matrix = std::make_unique<SumOfCells>(system, numbering, comm);
    matrix->fill(system);
    check_petsc(MatSetOption(matrix->get(), MAT_SYMMETRIC, symmetric ? PETSC_TRUE : PETSC_FALSE), doing);
    if (symmetric) check_petsc(MatSetOption(matrix->get(), MAT_SPD, PETSC_TRUE), doing);
    check_petsc(MatSetNearNullSpace(matrix->get(), near_kernel.get()), doing);

    // A solver of its own for every member: what multigrid keeps of one would be in the bits of the next.
    PetscKsp krylov;
    check_petsc(KSPCreate(comm, krylov.out()), doing);
    check_petsc(KSPSetOperators(krylov.get(), matrix->get(), matrix->get()), doing);
    try {
      check_petsc(KSPSetFromOptions(krylov.get()), doing);
      check_petsc(KSPSetUp(krylov.get()), doing);
      check_petsc(KSPSetUpOnBlocks(krylov.get()), doing);
      options.refuse_unused();
    } catch (const SolverError& error) {
      if (m > 0) throw;
      throw OptionError(error.report());  // no fault of this problem: no other could be solved either
    }
    const PetscVec right = vector_of(system.right_side, numbering, comm, doing);
    const Tensor from = start.defined() ? start[m].t().flatten() : torch::zeros_like(system.right_side);
    const PetscVec solution = vector_of(from, numbering, comm, doing);
    check_petsc(KSPSetInitialGuessNonzero(krylov.get(), start.defined() ? PETSC_TRUE : PETSC_FALSE), doing);
    check_petsc(KSPSolve(krylov.get(), right.get(), solution.get()), doing);

    Outcome outcome;
    check_petsc(KSPGetConvergedReason(krylov.get(), &outcome.reason), doing);
    check_petsc(KSPGetIterationNumber(krylov.get(), &outcome.iterations), doing);
    check_petsc(KSPGetTolerances(krylov.get(), &outcome.tolerance, nullptr, nullptr, nullptr), doing);
    const double* entries = nullptr;
    check_petsc(VecGetArrayRead(solution.get(), &entries), doing);
    Tensor values = torch::zeros_like(system.right_side);
    values.index_copy_(0, numbering.own,
                       torch::from_blob(const_cast<double*>(entries), {numbering.size}, torch::kFloat64));
    check_petsc(VecRestoreArrayRead(solution.get(), &entries), doing);
    gather_parts(values, ranks_);

    const double scale = system.right_side.norm().item<double>();
    const double remainder = (system.right_side - system.product(values)).norm().item<double>();
    outcome.relative_residual = scale > 0 ? remainder / scale : remainder;
    if (outcome.reason < 0 || !std::isfinite(outcome.relative_residual))
      throw SolverError(
          {.doing = "solving the reference problem",
           .where = fmt::format("member {} of {}, [solver.petsc]", m, members),
           .found = fmt::format("KSP_{} after {} iterations, relative residual {:.1e}",
                                KSPConvergedReasons[outcome.reason], outcome.iterations, outcome.relative_residual),
           .expected = fmt::format("{:.0e}", outcome.tolerance),
           .advice = advice(outcome, symmetric)});
    iterations[m] = outcome.iterations;
    residuals[m] = outcome.relative_residual;
    solutions.push_back(values.view({-1, components}).t());
  }
  Sample solution = equation_.solution(problem, torch::stack(solutions).contiguous());
  solution.scalars["iterations"] = {.values = iterations, .unit = "1"};
  solution.scalars["relative_residual"] = {.values = residuals, .unit = "1"};
  return solution;
}

}  // namespace locum::solvers
