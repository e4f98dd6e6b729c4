#include <fmt/format.h>
#include <locum/physics/darcy.hpp>
#include <locum/solvers/reference/petsc/diffusion.hpp>
#include <locum/solvers/reference/petsc/petsc.hpp>
#include <locum/solvers/reference/registry.hpp>

#include <cmath>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using physics::Darcy;
using physics::DarcyOptions;
using physics::Permeability;
using solvers::DiffusionSolver;
using solvers::PetscSession;
using tests::message_of;
using tests::relative_distance;
using tests::says;

/// The equation with default options.
static const Darcy& plain()
{
  static const Darcy equation;
  return equation;
}

static Tensor pressure(const Sample& solution) { return solution.field("pressure").values; }

static Sample random_problems(std::int64_t ny, std::int64_t nx, std::int64_t count,
                              Permeability kind = Permeability::threshold)
{
  DarcyOptions options;
  options.permeability = kind;
  const Darcy equation(options);
  return equation.draw(equation.grid({ny, nx}), 11, 0, count);
}

TEST_CASE("Darcy finite volumes: second order on a manufactured solution", "[solvers][order]")
{
  const PetscSession petsc({});
  const Darcy equation;
  DiffusionSolver solver(equation);
  std::vector<double> errors;
  fmt::print("cells  relative L2 error  order\n");
  for (const std::int64_t cells : {16, 32, 64, 128}) {
    const Sample exact = physics::darcy_manufactured(equation.grid({cells, cells}));
    errors.push_back(relative_distance(pressure(solver.solve(exact)), pressure(exact)));
    fmt::print("{:>5}  {:>17.3e}  {}\n", cells, errors.back(),
               errors.size() < 2 ? "" : fmt::format("{:>5.2f}", std::log2(*(errors.rbegin() + 1) / errors.back())));
  }
  CHECK_THAT(std::log2(errors[2] / errors[3]), WithinAbs(2, 0.1));
}

TEST_CASE("Darcy finite volumes: converge for lognormal permeabilities", "[solvers][order]")
{
  const PetscSession petsc({});
  DarcyOptions options;
  options.permeability = Permeability::lognormal;
  options.alpha = 4;  // twice differentiable, as second order needs
  const Darcy equation(options);
  DiffusionSolver solver(equation);
  std::vector<Tensor> on_coarsest;
  for (const std::int64_t refinement : {1, 3, 9}) {  // centres of coarse cells stay centres
    const auto cells = 20 * refinement, first = refinement / 2;
    const Tensor u = pressure(solver.solve(equation.draw(equation.grid({cells, cells}), 2, 0, 1)));
    on_coarsest.push_back(u.slice(2, first, {}, refinement).slice(3, first, {}, refinement));
  }
  const double coarse = (on_coarsest[0] - on_coarsest[1]).norm().item<double>();
  const double fine = (on_coarsest[1] - on_coarsest[2]).norm().item<double>();
  CHECK_THAT(std::log(coarse / fine) / std::log(3), WithinAbs(2, 0.1));
}

TEST_CASE("Darcy solver: Poisson's pressure in the middle of the square", "[solvers][property]")
{
  const PetscSession petsc({});
  const Darcy equation;
  const std::int64_t cells = 129;
  Sample problem{.domain = equation.grid({cells, cells}), .fields = {}, .scalars = {}, .time = 0};
  problem.fields["permeability"].values = torch::ones({1, 1, cells, cells});
  const double middle = pressure(DiffusionSolver(equation).solve(problem))[0][0][64][64].item<double>();
  CHECK_THAT(middle, WithinAbs(0.0736713533, 0.25 / (cells * cells)));  // the Fourier series' sum; error of order h²
}

TEST_CASE("Darcy solver: its matrix is the equation's residual", "[solvers][property]")
{
  const PetscSession petsc({});
  const auto kind = GENERATE(Permeability::threshold, Permeability::lognormal);
  const Darcy equation;
  const Sample problem = random_problems(24, 37, 3, kind);
  const auto residual = [&](const Sample& solution) {
    return equation.residual(problem, solution).norm(2, {1, 2, 3}) / equation.forcing(problem).norm(2, {1, 2, 3});
  };

  const Sample loose = DiffusionSolver(equation, {}, {{"ksp_rtol", "1e-2"}}).solve(problem);
  CHECK_THAT(relative_distance(residual(loose), loose.scalars.at("relative_residual").values), WithinAbs(0, 1e-10));

  const Sample tight = DiffusionSolver(equation).solve(problem);
  CHECK(residual(tight).max().item<double>() < 1.01e-8);
  CHECK(tight.scalars.at("iterations").values.max().item<double>() < 20);
}

TEST_CASE("Darcy solver: what the source puts in flows out through the edge", "[solvers][property]")
{
  const PetscSession petsc({});
  const std::int64_t ny = 40, nx = 24;
  const Sample problem = random_problems(ny, nx, 2);
  const Tensor flux = problem.field("permeability").values * pressure(DiffusionSolver(plain()).solve(problem)) * 2;
  // Outward flux density 2 a u / h through faces of the other axis' h.
  const double r = double(nx) / double(ny);
  const Tensor through_x = (flux.select(3, 0) + flux.select(3, nx - 1)).sum({1, 2}) * r;
  const Tensor through_y = (flux.select(2, 0) + flux.select(2, ny - 1)).sum({1, 2}) / r;
  for (const std::int64_t member : {0, 1})  // Σ residual ≤ √cells ‖residual‖ = cells · rtol · f
    CHECK_THAT((through_x + through_y)[member].item<double>(), WithinAbs(1, 1e-8));
}

TEST_CASE("Darcy solver: the transposed problem has the transposed solution", "[solvers][property]")
{
  const PetscSession petsc({});
  const Darcy equation;
  const Sample problem = random_problems(20, 31, 1);
  Sample transposed{.domain = equation.grid({31, 20}), .fields = {}, .scalars = {}, .time = 0};
  transposed.fields["permeability"].values = problem.field("permeability").values.transpose(2, 3);
  const Tensor u = pressure(DiffusionSolver(equation, {}, {{"ksp_rtol", "1e-12"}}).solve(problem));
  const Tensor v = pressure(DiffusionSolver(equation, {}, {{"ksp_rtol", "1e-12"}}).solve(transposed));
  CHECK_THAT(relative_distance(v.transpose(2, 3), u), WithinAbs(0, 1e-9));  // tolerance times condition, generously
}

TEST_CASE("Darcy solver: the same bits whatever was solved before", "[solvers][property]")
{
  const PetscSession petsc({});
  const Sample problems = random_problems(33, 32, 3);
  DiffusionSolver solver{plain()};
  const Tensor all = pressure(solver.solve(problems));
  CHECK(torch::equal(pressure(solver.solve(problems.members(1, 1))), all.narrow(0, 1, 1)));
  CHECK(torch::equal(pressure(DiffusionSolver(plain()).solve(problems.members(2, 1))), all.narrow(0, 2, 1)));
  solver.solve(random_problems(16, 16, 1));
  CHECK(torch::equal(pressure(solver.solve(problems)), all));
}

TEST_CASE("Darcy solver: permeabilities that vary a million times still converge", "[solvers]")
{
  const PetscSession petsc({});
  const Darcy equation({.low = 1e-3, .high = 1e3});
  DiffusionSolver solver(equation);
  const Sample solution = solver.solve(equation.draw(equation.grid({64, 64}), 1, 0, 4));
  CHECK(solution.scalars.at("iterations").values.max().item<double>() < 60);
  CHECK(solution.scalars.at("relative_residual").values.max().item<double>() < 1e-7);
}

TEST_CASE("Darcy solver: reads any floating type, answers in float64", "[solvers]")
{
  const PetscSession petsc({});
  const Sample problem = random_problems(16, 16, 1);  // 3 and 12 are the same in float32
  const Tensor u = pressure(DiffusionSolver(plain()).solve(problem));
  CHECK(torch::equal(pressure(DiffusionSolver(plain()).solve(problem.to(torch::kFloat32))), u));
}

TEST_CASE("Darcy solver: PETSc's options choose another method, not another answer", "[solvers]")
{
  const PetscSession petsc({});
  const Sample problem = random_problems(32, 32, 2, Permeability::lognormal);
  const Tensor u = pressure(DiffusionSolver(plain()).solve(problem));
  using Options = std::map<std::string, std::string>;
  const auto options = GENERATE(Options{{"pc_type", "cholesky"}}, Options{{"ksp_type", "preonly"}, {"pc_type", "lu"}},
                                Options{{"ksp_type", "gmres"}, {"pc_type", "icc"}},
                                Options{{"pc_type", "gamg"}, {"mg_levels_ksp_type", "chebyshev"}});
  DiffusionSolver other(plain(), {}, options);
  CAPTURE(other.description());
  CHECK_THAT(relative_distance(pressure(other.solve(problem)), u), WithinAbs(0, 1e-6));  // 1e-8 times condition
}

TEST_CASE("Darcy solver: a solve that fails says why", "[solvers][error]")
{
  const PetscSession petsc({});
  const Sample problem = random_problems(32, 32, 2);
  SECTION("too few iterations")
  {
    DiffusionSolver solver(plain(), {}, {{"ksp_max_it", "1"}});
    const auto message = message_of([&] { solver.solve(problem); });
    CHECK(says(message, {"member 0 of 2, [solver.petsc]", "KSP_DIVERGED_ITS after 1 iterations, relative residual",
                         "expected 1e-08", "ksp_max_it = 10"}));
  }
  SECTION("a weak preconditioner")
  {
    DiffusionSolver solver(plain(), {}, {{"pc_type", "jacobi"}, {"ksp_max_it", "5"}});
    CHECK(says(message_of([&] { solver.solve(problem); }), {"KSP_DIVERGED_ITS after 5", "leave pc_type as it is"}));
  }
  SECTION("unknown option")
  {
    DiffusionSolver solver(plain(), {}, {{"ksp_rtoll", "1e-3"}});
    CHECK(says(message_of([&] { solver.solve(problem); }), {"[solver.petsc]", "\"ksp_rtoll\"", "ksp_rtol = \"1e-3\""}));
    CHECK(says(message_of([&] { solver.solve(problem); }), {"\"ksp_rtoll\""}));  // and again
  }
  SECTION("option of a method that is not used")
  {
    DiffusionSolver solver(plain(), {}, {{"pc_type", "cholesky"}, {"mg_levels_pc_type", "sor"}});
    CHECK(says(message_of([&] { solver.solve(problem); }), {"\"mg_levels_pc_type\"", "remove it"}));
  }
  SECTION("unknown method")
  {
    DiffusionSolver solver(plain(), {}, {{"pc_type", "gamgg"}});
    CHECK(says(message_of([&] { solver.solve(problem); }), {"gamgg", "[solver.petsc]"}));
  }
  SECTION("and the next solve is as good as ever")
  {
    const Tensor u = pressure(DiffusionSolver(plain()).solve(problem.members(0, 1)));
    DiffusionSolver solver{plain()};
    Sample bad = problem.members(0, 1).to(torch::kFloat64);
    bad.fields["permeability"].values = bad.field("permeability").values * 0;
    CHECK(says(message_of([&] { solver.solve(bad); }), {"found 0 at sample 0", "positive values"}));
    CHECK(torch::equal(pressure(solver.solve(problem.members(0, 1))), u));
  }
}

TEST_CASE("Darcy solver: without PETSc running it says what is missing", "[solvers][error]")
{
  CHECK(says(message_of([] { DiffusionSolver(plain()).solve(random_problems(8, 8, 1)); }),
             {"not running", "PetscSession"}));
}

TEST_CASE("reference solvers: found by equation", "[solvers]")
{
  const PetscSession petsc({});
  CHECK(solvers::petsc_available());
  const Sample problem = random_problems(16, 16, 1);
  DarcyOptions options;
  options.forcing = 2;
  const Darcy equation(options);
  const auto solver = solvers::make_reference_solver(equation, {}, {{"pc_type", "icc"}});
  CHECK(solver->description() == "darcy, PETSc cg + icc");
  CHECK_THAT(relative_distance(pressure(solver->solve(problem)), 2 * pressure(DiffusionSolver(plain()).solve(problem))),
             WithinAbs(0, 1e-6));
}

TEST_CASE("Darcy solver: two ranks find what one does", "[solvers][ranks2]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  REQUIRE(ranks.size() == 2);
  const PetscSession petsc(ranks);
  const auto kind = GENERATE(Permeability::threshold, Permeability::lognormal);
  const Sample problem = random_problems(33, 50, 2, kind);
  const Tensor alone = pressure(DiffusionSolver(plain()).solve(problem));
  DiffusionSolver solver(plain(), ranks);
  const Sample together = solver.solve(problem);
  CHECK_THAT(relative_distance(pressure(together), alone), WithinAbs(0, 1e-6));  // 1e-8 times condition
  CHECK(together.scalars.at("relative_residual").values.max().item<double>() < 1.01e-8);
  CHECK(torch::equal(pressure(solver.solve(problem)), pressure(together)));
}

TEST_CASE("Darcy solver: when it fails, every rank throws", "[solvers][error][ranks2]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  const PetscSession petsc(ranks);
  Sample problem = random_problems(32, 32, 1);
  SECTION("diverged")
  {
    DiffusionSolver solver(plain(), ranks, {{"ksp_max_it", "1"}});
    CHECK(says(message_of([&] { solver.solve(problem); }), {"KSP_DIVERGED_ITS"}));
  }
  SECTION("unknown option")
  {
    DiffusionSolver solver(plain(), ranks, {{"ksp_rtoll", "1"}});
    CHECK(says(message_of([&] { solver.solve(problem); }), {"ksp_rtoll"}));
  }
  SECTION("bad input on one rank")
  {
    if (ranks.rank() == 1) problem.fields["permeability"].values[0][0][3][4] = std::nan("");
    DiffusionSolver solver(plain(), ranks);
    CHECK(says(message_of([&] { solver.solve(problem); }), {"field permeability", "nan at sample 0", "[3, 4]"}));
  }
  ranks.barrier();
}
