#include <fmt/format.h>
#include <locum/core/random.hpp>
#include <locum/physics/darcy.hpp>
#include <locum/physics/jacobian_action.hpp>
#include <locum/physics/poisson.hpp>
#include <locum/solvers/reference/petsc/diffusion.hpp>
#include <locum/solvers/reference/petsc/petsc.hpp>

#include <cmath>
#include <numbers>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using physics::Darcy;
using physics::DarcyOptions;
using physics::Poisson;
using physics::PoissonOptions;
using solvers::DiffusionSolver;
using solvers::PetscSession;
using tests::message_of;
using tests::relative_distance;
using tests::says;

namespace {

constexpr double pi = std::numbers::pi;

Tensor pressure(const Sample& solution) { return solution.field("pressure").values; }

/// −Δu = f in the cube without flux through y0 and y1: u = sin πx cos πy sin πz, or without z in the square.
Sample mixed_sides(const Poisson& equation, std::int64_t cells, std::size_t axes)
{
  Sample exact{.domain = equation.grid(std::vector<std::int64_t>(axes, cells)), .fields = {}, .scalars = {}, .time = 0};
  const Grid& grid = exact.grid();
  const Tensor x = grid.coordinates(axes - 1), y = grid.coordinates(axes - 2).unsqueeze(1);
  Tensor u = (pi * x).sin() * (pi * y).cos();
  if (axes == 3) u = u * (pi * grid.coordinates(0).unsqueeze(1).unsqueeze(1)).sin();
  exact.fields["pressure"].values = u.unsqueeze(0).unsqueeze(0);
  exact.fields["forcing"].values = exact.fields["pressure"].values * (static_cast<double>(axes) * pi * pi);
  return exact;
}

PoissonOptions insulated_in_y()
{
  PoissonOptions options;
  options.sides.insulated = {"y0", "y1"};
  return options;
}

double iterations(const Sample& solution) { return solution.scalars.at("iterations").values.max().item<double>(); }

}  // namespace

TEST_CASE("Diffusion: second order with mixed sides, in the square and the cube", "[solvers][order]")
{
  const PetscSession petsc({});
  const Poisson equation(insulated_in_y());
  DiffusionSolver solver(equation);
  fmt::print("axes  cells  relative L2 error  order  iterations\n");
  for (const std::size_t axes : {2, 3}) {
    std::vector<double> errors;
    for (const std::int64_t cells : {8, 16, 32, 64}) {
      if (axes == 3 && cells > 32) break;
      const Sample exact = mixed_sides(equation, cells, axes);
      const Sample found = solver.solve(exact);
      errors.push_back(relative_distance(pressure(found), pressure(exact)));
      fmt::print("{:>4}  {:>5}  {:>17.3e}  {:>5}  {:>10}\n", axes, cells, errors.back(),
                 errors.size() < 2 ? "" : fmt::format("{:.2f}", std::log2(*(errors.rbegin() + 1) / errors.back())),
                 iterations(found));
    }
    CHECK_THAT(std::log2(*(errors.rbegin() + 1) / errors.back()), WithinAbs(2, 0.1));
  }
}

TEST_CASE("Diffusion: a linear pressure between two sides is exact", "[solvers][property]")
{
  const PetscSession petsc({});
  DarcyOptions options;
  options.forcing = 0;
  options.sides.insulated = {"y0", "y1", "z0", "z1"};
  options.sides.values = {3, -1, 0, 0, 0, 0};
  const Darcy equation(options);
  for (const std::vector<std::int64_t>& cells : {std::vector<std::int64_t>{5, 9}, {4, 5, 9}}) {
    Sample problem{.domain = equation.grid(cells), .fields = {}, .scalars = {}, .time = 0};
    std::vector<std::int64_t> shape = {1, 1};
    shape.insert(shape.end(), cells.begin(), cells.end());
    problem.fields["permeability"].values = torch::full(shape, 2.5, torch::kFloat64);
    const Tensor u = pressure(DiffusionSolver(equation, {}, {{"ksp_rtol", "1e-13"}}).solve(problem));
    const Tensor expected = (3 - 4 * problem.grid().coordinates(cells.size() - 1)).expand(shape);
    CHECK_THAT(relative_distance(u, expected), WithinAbs(0, 1e-11));
  }
}

TEST_CASE("Diffusion: iterations barely grow with the grid, the contrast or the anisotropy", "[solvers][property]")
{
  const PetscSession petsc({});
  const Poisson poisson;
  const auto of_poisson = [&](const std::vector<std::int64_t>& cells) {
    return iterations(DiffusionSolver(poisson).solve(poisson.draw(poisson.grid(cells), 1, 0, 1)));
  };
  CHECK(of_poisson({256, 256}) <= of_poisson({64, 64}) + 4);
  CHECK(of_poisson({48, 48, 48}) <= of_poisson({16, 16, 16}) + 5);

  DarcyOptions contrast;
  contrast.low = 1e-2;
  contrast.high = 1e2;
  const Darcy darcy(contrast);
  const Sample jumping = darcy.draw(darcy.grid({128, 128}), 4, 0, 1);
  const Sample solution = DiffusionSolver(darcy).solve(jumping);
  CHECK(solution.scalars.at("relative_residual").values.item<double>() < 1.01e-8);
  CHECK(iterations(solution) <= 40);

  Sample anisotropic = poisson.draw(poisson.grid({96, 96}), 1, 0, 1);
  anisotropic.fields["permeability"].values =
      torch::tensor({1.0, 1e4}, torch::kFloat64).reshape({1, 2, 1, 1}).expand({1, 2, 96, 96});
  CHECK(iterations(DiffusionSolver(poisson).solve(anisotropic)) <= 20);
}

TEST_CASE("Diffusion: the matrix is the residual's derivative, and a solution is its own best guess",
          "[solvers][property]")
{
  const PetscSession petsc({});
  PoissonOptions options = insulated_in_y();
  options.sides.values = {1, 2, 0, 0, 3, 4};
  const Poisson equation(options);
  DiffusionSolver solver(equation);
  Sample problem = equation.draw(equation.grid({5, 6, 7}), 1, 0, 1);
  RandomStream random(1, "numbers");
  problem.fields["permeability"].values = random.uniform({1, 3, 5, 6, 7}) + 0.1;
  const Sample solution = solver.solve(problem);
  Sample direction;
  direction.fields["pressure"].values = random.normal({1, 1, 5, 6, 7});
  const Tensor expected = physics::jacobian_action(equation, problem, solution, direction);
  const Tensor product = torch::mm(solver.matrix(problem, solution), pressure(direction).reshape({-1, 1}));
  CHECK_THAT(relative_distance(-product, expected.reshape({-1, 1})), WithinAbs(0, 1e-13));

  const Sample again = solver.solve(problem, solution);
  CHECK(iterations(again) == 0);
  CHECK(torch::equal(pressure(again), pressure(solution)));
}

TEST_CASE("Diffusion: what it cannot solve is refused", "[solvers][error]")
{
  const auto with_sides = [](std::vector<std::string> insulated, std::vector<double> values) {
    DarcyOptions options;
    options.sides = {.insulated = std::move(insulated), .values = std::move(values)};
    return message_of([&] { Darcy{options}; });
  };
  CHECK(says(with_sides({"x2"}, {}), {"insulated", "\"x2\"", "x0, x1, y0, y1, z0, z1"}));
  CHECK(says(with_sides({"x0", "x1", "y0", "y1"}, {}), {"insulated", "constant"}));
  CHECK(says(with_sides({}, {1, 2}), {"side_values", "[1, 2]", "six"}));
  CHECK(says(message_of([] { Poisson().draw(Poisson().grid({8}), 1, 0, 1); }), {"cells", "two or three"}));
  PoissonOptions rough;
  rough.alpha = 1.2;
  const Poisson equation(rough);
  CHECK(says(message_of([&] { equation.draw(equation.grid({8, 8, 8}), 1, 0, 1); }), {"alpha = 1.2", "alpha > 1.5"}));
}

TEST_CASE("Diffusion: in the cube, ranks together find what one does", "[solvers][ranks2][ranks4]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  const PetscSession petsc(ranks);
  const Darcy equation;
  const Sample problem = equation.draw(equation.grid({10, 12, 14}), 11, 0, 1);
  const Tensor alone = pressure(DiffusionSolver(equation).solve(problem));
  DiffusionSolver solver(equation, ranks);
  CHECK_THAT(relative_distance(pressure(solver.solve(problem)), alone), WithinAbs(0, 1e-6));  // 1e-8 times condition
}
