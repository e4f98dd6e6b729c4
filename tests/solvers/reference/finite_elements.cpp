#include <fmt/format.h>
#include <locum/core/random.hpp>
#include <locum/physics/finite_elements/elasticity.hpp>
#include <locum/physics/finite_elements/elements.hpp>
#include <locum/physics/finite_elements/shapes.hpp>
#include <locum/physics/finite_elements/tensile_plate.hpp>
#include <locum/physics/finite_elements/transport.hpp>
#include <locum/physics/jacobian_action.hpp>
#include <locum/solvers/reference/petsc/finite_elements.hpp>
#include <locum/solvers/reference/petsc/petsc.hpp>
#include <locum/solvers/reference/petsc/tensile_plate.hpp>
#include <locum/solvers/reference/registry.hpp>

#include <cmath>
#include <functional>
#include <numbers>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::physics;
using solvers::FiniteElementSolver;
using solvers::PetscSession;
using tests::message_of;
using tests::relative_distance;
using tests::says;

namespace {

constexpr double pi = std::numbers::pi;

/// Values at positions [..., dimension] → [..., component].
using Function = std::function<Tensor(const Tensor&)>;

Tensor coordinate(const Tensor& x, std::int64_t axis) { return x.select(-1, axis); }

/// A function at the vertices, [1, component, vertex].
Tensor at_vertices_of(const Mesh& mesh, const Function& f) { return f(mesh.vertices).t().unsqueeze(0); }

/// ‖u_h − u‖ / ‖u‖ in L², by quadrature.
double l2_error(const Mesh& mesh, const Tensor& values, const Function& exact)
{
  const Evaluation at = at_quadrature_points(mesh);
  const Tensor own =
      values[0].t().index_select(0, mesh.cells.flatten()).view({mesh.cells.size(0), mesh.cells.size(1), -1});
  const Tensor u = torch::einsum("pv,cvi->cpi", {at.values, own}), v = exact(at.positions);
  const auto norm = [&](const Tensor& w) { return (w.square().sum(-1) * at.weights).sum().sqrt(); };
  return (norm(u - v) / norm(v)).item<double>();
}

/// Errors on finer and finer meshes and their last observed order.
double observed_order(const char* what, const std::vector<double>& errors)
{
  fmt::print("{}\n", what);
  for (std::size_t i = 0; i < errors.size(); ++i)
    fmt::print("  {:>10.3e}  {}\n", errors[i],
               i == 0 ? "" : fmt::format("{:.2f}", std::log2(errors[i - 1] / errors[i])));
  return std::log2(errors[errors.size() - 2] / errors.back());
}

/// The unit square or cube with n cells a side.
Mesh unit_mesh(Mesh::Cell kind, std::int64_t n)
{
  const Mesh mesh = dimension_of(kind) == 2 ? rectangle(n, n, 1, 1) : box(n, n, n, 1, 1, 1);
  return is_quadratic(kind) ? quadratic(mesh) : mesh;
}

/// Π sin πx_d and its derivatives along axes of `order`, each 0 or more times.
Tensor sines(const Tensor& x, const std::vector<int>& order = {0, 0, 0})
{
  Tensor product = torch::ones_like(coordinate(x, 0));
  for (std::int64_t d = 0; d < x.size(-1); ++d) {
    const int n = order[std::size_t(d)];
    product = product * std::pow(pi, n) * (pi * coordinate(x, d) + n * pi / 2).sin();
  }
  return product;
}

Sample on(const Mesh& mesh) { return {.domain = mesh, .fields = {}, .scalars = {}, .time = 0}; }

/// k = 1 + xy, u = Π sin πx_d.
Sample diffusion_manufactured(const Mesh& mesh)
{
  Sample problem = on(mesh);
  const auto dimension = static_cast<double>(mesh.vertices.size(1));
  problem.fields["conductivity"].values =
      at_vertices_of(mesh, [](const Tensor& x) { return (1 + coordinate(x, 0) * coordinate(x, 1)).unsqueeze(-1); });
  problem.fields["forcing"].values = at_vertices_of(mesh, [&](const Tensor& x) {
    const Tensor k = 1 + coordinate(x, 0) * coordinate(x, 1);
    return (dimension * pi * pi * k * sines(x) - coordinate(x, 1) * sines(x, {1, 0, 0}) -
            coordinate(x, 0) * sines(x, {0, 1, 0}))
        .unsqueeze(-1);
  });
  for (const auto& [name, facets] : mesh.boundaries)
    problem.fields["temperature_" + name].values = torch::zeros({1, 1, mesh.vertices.size(0)}, torch::kFloat64);
  return problem;
}

ElasticityOptions soft(double nu, Plane plane)
{
  ElasticityOptions options;
  options.youngs_modulus = 1;
  options.poisson_ratio = nu;
  options.plane = plane;
  return options;
}

constexpr double amplitudes[] = {1, 0.5, -0.3};  // u_i = amplitude_i Π sin πx_d

Tensor elastic_exact(const Tensor& x)
{
  std::vector<Tensor> u;
  for (std::int64_t i = 0; i < x.size(-1); ++i) u.push_back(amplitudes[i] * sines(x));
  return torch::stack(u, -1);
}

Sample elasticity_manufactured(const Mesh& mesh, double nu, Plane plane)
{
  const auto dimension = mesh.vertices.size(1);
  const bool thin = dimension == 2 && plane == Plane::stress;
  const double lambda = thin ? nu / (1 - nu * nu) : nu / ((1 + nu) * (1 - 2 * nu)), mu = 0.5 / (1 + nu);
  Sample problem = on(mesh);
  problem.fields["body_force"].values = at_vertices_of(mesh, [&](const Tensor& x) {  // −(λ+μ) ∇∇·u − μ Δu
    std::vector<Tensor> f;
    for (std::int64_t i = 0; i < dimension; ++i) {
      Tensor sum = mu * static_cast<double>(dimension) * pi * pi * amplitudes[i] * sines(x);
      for (std::int64_t j = 0; j < dimension; ++j) {
        std::vector<int> order = {0, 0, 0};
        ++order[std::size_t(i)];
        ++order[std::size_t(j)];
        sum = sum - (lambda + mu) * amplitudes[j] * sines(x, order);
      }
      f.push_back(sum);
    }
    return torch::stack(f, -1);
  });
  for (const auto& [name, facets] : mesh.boundaries)
    problem.fields["displacement_" + name].values =
        torch::zeros({1, dimension, mesh.vertices.size(0)}, torch::kFloat64);
  return problem;
}

std::vector<std::int64_t> refinements(Mesh::Cell kind)
{
  if (dimension_of(kind) == 2) return {8, 16, 32};
  return is_quadratic(kind) ? std::vector<std::int64_t>{2, 4, 6} : std::vector<std::int64_t>{4, 8, 16};
}

/// Order between the last two of refinements().
double order_of(const char* what, Mesh::Cell kind, const std::vector<double>& errors)
{
  const auto n = refinements(kind);
  const double ratio = static_cast<double>(n[2]) / static_cast<double>(n[1]);
  return observed_order(what, errors) / std::log2(ratio);
}

double iterations_of(const Sample& solution) { return solution.scalars.at("iterations").values.max().item<double>(); }

}  // namespace

TEST_CASE("finite elements for diffusion: orders 2 and 3 on a manufactured solution", "[solvers][order]")
{
  const PetscSession petsc({});
  const Transport equation;
  const auto [kind, order, name] = GENERATE(table<Mesh::Cell, double, const char*>(
      {{Mesh::Cell::triangle, 2, "diffusion, linear triangles"},
       {Mesh::Cell::tetrahedron, 2, "diffusion, linear tetrahedra"},
       {Mesh::Cell::quadratic_triangle, 3, "diffusion, quadratic triangles"},
       {Mesh::Cell::quadratic_tetrahedron, 3, "diffusion, quadratic tetrahedra"}}));
  std::vector<double> errors;
  for (const auto n : refinements(kind)) {
    const Mesh mesh = unit_mesh(kind, n);
    const Sample solution = FiniteElementSolver(equation).solve(diffusion_manufactured(mesh));
    errors.push_back(
        l2_error(mesh, solution.field("temperature").values, [](const Tensor& x) { return sines(x).unsqueeze(-1); }));
  }
  CHECK_THAT(order_of(name, kind, errors), WithinAbs(order, 0.25));
}

TEST_CASE("finite elements for elasticity: orders 2 and 3 on a manufactured solution", "[solvers][order]")
{
  const PetscSession petsc({});
  const auto [kind, plane, order, name] = GENERATE(table<Mesh::Cell, Plane, double, const char*>(
      {{Mesh::Cell::triangle, Plane::stress, 2, "plane stress, linear"},
       {Mesh::Cell::triangle, Plane::strain, 2, "plane strain, linear"},
       {Mesh::Cell::tetrahedron, Plane::stress, 2, "in space, linear"},
       {Mesh::Cell::quadratic_triangle, Plane::stress, 3, "plane stress, quadratic"},
       {Mesh::Cell::quadratic_triangle, Plane::strain, 3, "plane strain, quadratic"},
       {Mesh::Cell::quadratic_tetrahedron, Plane::stress, 3, "in space, quadratic"}}));
  const double nu = 0.3;
  const Elasticity equation(soft(nu, plane));
  std::vector<double> errors;
  for (const auto n : refinements(kind)) {
    const Mesh mesh = unit_mesh(kind, n);
    const Sample solution = FiniteElementSolver(equation).solve(elasticity_manufactured(mesh, nu, plane));
    errors.push_back(l2_error(mesh, solution.field("displacement").values, elastic_exact));
  }
  CHECK_THAT(order_of(name, kind, errors), WithinAbs(order, 0.25));
}

TEST_CASE("finite elements: a patch under uniform strain is solved exactly", "[solvers][property]")
{
  const PetscSession petsc({});
  const auto kind = GENERATE(Mesh::Cell::triangle, Mesh::Cell::tetrahedron, Mesh::Cell::quadratic_triangle,
                             Mesh::Cell::quadratic_tetrahedron);
  Mesh mesh = dimension_of(kind) == 2 ? rectangle(5, 4, 1, 1) : box(3, 2, 3, 1, 1, 1);
  Tensor inner = torch::ones({mesh.vertices.size(0), 1}, torch::kFloat64);
  for (const auto& [name, facets] : mesh.boundaries) inner.index_fill_(0, facets.flatten(), 0);
  mesh.vertices = mesh.vertices + 0.1 * inner * (RandomStream(1, "vertices").uniform(mesh.vertices.sizes()) - 0.5);
  if (is_quadratic(kind)) mesh = quadratic(mesh);
  const Tensor slope = torch::tensor({{1e-3, 2e-4, 3e-4}, {-1e-4, 5e-4, 2e-4}, {4e-4, 1e-4, -6e-4}}, torch::kFloat64)
                           .slice(0, 0, mesh.vertices.size(1))
                           .slice(1, 0, mesh.vertices.size(1));
  const Tensor u = mesh.vertices.mm(slope.t()).t().unsqueeze(0);
  Sample problem = on(mesh);
  for (const auto& [name, facets] : mesh.boundaries) problem.fields["displacement_" + name].values = u;
  const Elasticity equation;
  const Sample solution = FiniteElementSolver(equation, {}, {{"ksp_rtol", "1e-14"}}).solve(problem);
  CHECK_THAT(relative_distance(solution.field("displacement").values, u), WithinAbs(0, 1e-12));  // condition · rounding
}

TEST_CASE("finite elements: a bar that is pulled gets longer by Hooke's law", "[solvers]")
{
  // Rollers on the left and below, traction on the right: uniform stress, on any mesh.
  const PetscSession petsc({});
  const Elasticity equation;
  const double E = equation.options().youngs_modulus, nu = equation.options().poisson_ratio;
  const auto kind = GENERATE(Mesh::Cell::triangle, Mesh::Cell::quadratic_tetrahedron);
  const Mesh flat = rectangle(6, 3, 2, 1), solid = quadratic(box(4, 2, 2, 2, 1, 1));
  const Mesh& mesh = kind == Mesh::Cell::triangle ? flat : solid;
  const auto dimension = mesh.vertices.size(1);
  Sample problem = on(mesh);
  const Tensor zero = torch::zeros({1, dimension, mesh.vertices.size(0)}, torch::kFloat64);
  problem.fields["displacement_left_x"].values = zero.narrow(1, 0, 1);
  problem.fields["displacement_bottom_y"].values = zero.narrow(1, 0, 1);
  if (dimension == 3) problem.fields["displacement_back_z"].values = zero.narrow(1, 0, 1);
  Tensor traction = zero.clone();
  traction.select(1, 0).fill_(1e8);
  problem.fields["traction_right"].values = traction;
  const Sample solution = FiniteElementSolver(equation, {}, {{"ksp_rtol", "1e-12"}}).solve(problem);
  Tensor expected = mesh.vertices * (-nu * 1e8 / E);
  expected.select(1, 0).mul_(-1 / nu);
  CHECK_THAT(relative_distance(solution.field("displacement").values[0].t(), expected), WithinAbs(0, 1e-10));
  CHECK_THAT((solution.field("von_mises").values / 1e8 - 1).abs().max().item<double>(), WithinAbs(0, 1e-9));
}

TEST_CASE("finite elements: Kirsch's plate has three times the stress beside its hole", "[solvers][order]")
{
  const PetscSession petsc({});
  const double radius = 1, nu = 0.3;
  Specimen plate;
  plate.length = 12;
  plate.grip_width = plate.gauge_width = 8;
  plate.gauge_length = 10;
  plate.radius_x = plate.radius_y = radius;
  const Elasticity equation(soft(nu, Plane::stress));
  const double shear = 0.5 / (1 + nu), kappa = (3 - nu) / (1 + nu);
  // Kirsch 1898: far away σ_xx = 1.
  const Function exact = [&](const Tensor& p) {
    const Tensor x = coordinate(p, 0), y = coordinate(p, 1), r = (x.square() + y.square()).sqrt() / radius;
    const Tensor t = torch::atan2(y, x);
    const Tensor ux =
        r * (kappa + 1) * t.cos() + 2 / r * ((1 + kappa) * t.cos() + (3 * t).cos()) - 2 / r.pow(3) * (3 * t).cos();
    const Tensor uy =
        r * (kappa - 3) * t.sin() + 2 / r * ((1 - kappa) * t.sin() + (3 * t).sin()) - 2 / r.pow(3) * (3 * t).sin();
    return torch::stack({ux, uy}, -1) * (radius / (8 * shear));
  };
  for (const bool quadratic_cells : {false, true}) {
    std::vector<double> errors, peaks;
    for (const std::int64_t across : {8, 16, 32}) {
      const Mesh mesh = mesh_of_specimen(plate, across, quadratic_cells);
      Sample problem = on(mesh);
      for (const char* side : {"left", "right", "sides"})
        problem.fields[std::string("displacement_") + side].values = at_vertices_of(mesh, exact);
      const Sample solution = FiniteElementSolver(equation).solve(problem);
      errors.push_back(l2_error(mesh, solution.field("displacement").values, exact));
      peaks.push_back(solution.field("von_mises").values.max().item<double>());
    }
    const double order =
        observed_order(quadratic_cells ? "Kirsch's plate, quadratic" : "Kirsch's plate, linear", errors);
    fmt::print("  largest stress {:.4f}, {:.4f}, {:.4f}; exact 3\n", peaks[0], peaks[1], peaks[2]);
    CHECK_THAT(order, WithinAbs(quadratic_cells ? 3 : 2, 0.3));
    CHECK_THAT(peaks[2], WithinAbs(3, quadratic_cells ? 0.03 : 0.25));
    CHECK(std::abs(peaks[2] - 3) < 0.7 * std::abs(peaks[1] - 3));
  }
}

TEST_CASE("finite elements: the cantilever of Timoshenko and Goodier", "[solvers][order]")
{
  const PetscSession petsc({});
  const double length = 4, depth = 1, nu = 0.3, inertia = depth * depth * depth / 12;
  const Elasticity equation(soft(nu, Plane::stress));
  // Theory of Elasticity, §21: a force 1 downwards at x = L, spread as the shear stress is.
  const Function exact = [&](const Tensor& p) {
    const Tensor x = coordinate(p, 0), y = coordinate(p, 1) - depth / 2;
    const Tensor ux = y * ((6 * length - 3 * x) * x + (2 + nu) * (y.square() - depth * depth / 4));
    const Tensor uy =
        -(3 * nu * y.square() * (length - x) + (4 + 5 * nu) * depth * depth * x / 4 + (3 * length - x) * x.square());
    return torch::stack({ux, uy}, -1) / (6 * inertia);
  };
  const Function shear = [&](const Tensor& p) {
    const Tensor y = coordinate(p, 1) - depth / 2;
    return torch::stack({torch::zeros_like(y), (y.square() - depth * depth / 4) / (2 * inertia)}, -1);
  };
  for (const bool quadratic_cells : {false, true}) {
    std::vector<double> errors;
    for (const std::int64_t rows : {4, 8, 16}) {
      const Mesh linear = rectangle(3 * rows, rows, length, depth);
      const Mesh mesh = quadratic_cells ? quadratic(linear) : linear;
      Sample problem = on(mesh);
      problem.fields["displacement_left"].values = at_vertices_of(mesh, exact);
      problem.fields["traction_right"].values = at_vertices_of(mesh, shear);
      const Sample solution = FiniteElementSolver(equation).solve(problem);
      errors.push_back(l2_error(mesh, solution.field("displacement").values, exact));
    }
    // At least: quadratic cells show all of the exact solution but its cubic terms.
    const double order = observed_order(quadratic_cells ? "cantilever, quadratic" : "cantilever, linear", errors);
    CHECK(order > (quadratic_cells ? 2.8 : 1.8));
  }
}

TEST_CASE("finite elements for transport: exact at the vertices of a boundary layer that no cell resolves", "[solvers]")
{
  // u = (e^(vx/k) − 1)/(e^(v/k) − 1): upwind weights are made so that one dimension is exact (Brooks and Hughes).
  const PetscSession petsc({});
  const Mesh mesh = rectangle(10, 8, 1, 1);
  Sample problem = on(mesh);
  const double v = 40;  // 4 cells a layer's thickness
  const Tensor u = at_vertices_of(
      mesh, [&](const Tensor& x) { return (torch::expm1(v * coordinate(x, 0)) / std::expm1(v)).unsqueeze(-1); });
  problem.fields["velocity"].values =
      torch::tensor({v, 0.0}, torch::kFloat64).view({1, 2, 1}).expand({1, 2, mesh.vertices.size(0)});
  for (const auto& [name, facets] : mesh.boundaries) problem.fields["temperature_" + name].values = u;
  const Transport equation;
  const Sample solution = FiniteElementSolver(equation, {}, {{"ksp_rtol", "1e-12"}}).solve(problem);
  CHECK_THAT((solution.field("temperature").values - u).abs().max().item<double>(), WithinAbs(0, 1e-10));
}

TEST_CASE("finite elements for transport: order 2 on a manufactured solution", "[solvers][order]")
{
  const PetscSession petsc({});
  const Transport equation;
  std::vector<double> errors;
  for (const std::int64_t n : {16, 32, 64}) {
    const Mesh mesh = rectangle(n, n, 1, 1);
    Sample problem = diffusion_manufactured(mesh);
    const auto vertices = mesh.vertices.size(0);
    const Tensor v = torch::tensor({20.0, 10.0}, torch::kFloat64);
    problem.fields["velocity"].values = v.view({1, 2, 1}).expand({1, 2, vertices});
    problem.fields["forcing"].values = problem.field("forcing").values + at_vertices_of(mesh, [&](const Tensor& x) {
                                         return (v[0] * sines(x, {1, 0, 0}) + v[1] * sines(x, {0, 1, 0})).unsqueeze(-1);
                                       });
    const Sample solution = FiniteElementSolver(equation).solve(problem);
    errors.push_back(
        l2_error(mesh, solution.field("temperature").values, [](const Tensor& x) { return sines(x).unsqueeze(-1); }));
  }
  CHECK_THAT(observed_order("transport, linear triangles", errors), WithinAbs(2, 0.25));
}

TEST_CASE("finite elements: the solver's matrix is the equation's residual", "[solvers][property]")
{
  const PetscSession petsc({});
  const Transport with_flow({.speed = 10}), without;
  const Elasticity elasticity;
  const MeshEquation& equation = GENERATE_REF(std::cref(static_cast<const MeshEquation&>(with_flow)),
                                              std::cref(static_cast<const MeshEquation&>(without)),
                                              std::cref(static_cast<const MeshEquation&>(elasticity)))
                                     .get();
  const bool flows = &equation != &elasticity;
  const Sample problem =
      equation.draw(equation.grid(flows ? std::vector<std::int64_t>{12, 9} : std::vector<std::int64_t>{6}), 3, 0, 1);
  const auto residual = [&](const Sample& solution) {
    return (equation.residual(problem, solution).norm() / equation.forcing(problem).norm()).item<double>();
  };
  const Sample loose = FiniteElementSolver(equation, {}, {{"ksp_rtol", "1e-2"}}).solve(problem);
  CHECK_THAT(residual(loose), WithinRel(loose.scalars.at("relative_residual").values.item<double>(), 1e-6));
  const Sample tight = FiniteElementSolver(equation).solve(problem);
  CHECK(residual(tight) < 1.01e-8);
}

TEST_CASE("finite elements: the solver's matrix is the derivative of the residual, but for its sign",
          "[solvers][property]")
{
  const PetscSession petsc({});
  const Transport equation({.speed = 10});
  const Sample problem = equation.draw(equation.grid({5, 6}), 1, 0, 1);
  FiniteElementSolver solver(equation);
  const Sample solution = solver.solve(problem);
  Sample direction = solution;
  direction.fields["temperature"].values =
      RandomStream(1, "direction").normal(solution.field("temperature").values.sizes());
  const Tensor expected = jacobian_action(equation, problem, solution, direction);
  const Tensor product =
      torch::mm(solver.matrix(problem, solution), direction.field("temperature").values.reshape({-1, 1}));
  CHECK_THAT(relative_distance(-product.flatten(), expected.flatten()), WithinAbs(0, 1e-13));
  CHECK(iterations_of(solver.solve(problem, solution)) == 0);
}

TEST_CASE("finite elements: multigrid takes about as many iterations on any mesh", "[solvers][property]")
{
  const PetscSession petsc({});
  const Elasticity equation;
  std::vector<double> counts;
  for (const std::int64_t across : {8, 16, 32}) {
    Specimen specimen;
    specimen.gauge_width = 0.03;
    const Sample problem = equation.draw_on(mesh_of_specimen(specimen, across, false), 0, 0, 1);
    counts.push_back(iterations_of(FiniteElementSolver(equation).solve(problem)));
  }
  fmt::print("elasticity, iterations on finer and finer meshes: {:.0f}, {:.0f}, {:.0f}\n", counts[0], counts[1],
             counts[2]);
  CHECK(counts[2] < 1.5 * counts[0]);
  CHECK(counts[2] < 60);
}

TEST_CASE("finite elements: the same bits whatever was solved before", "[solvers][property]")
{
  const PetscSession petsc({});
  const Transport equation;
  const Sample problems = equation.draw(equation.grid({12, 12}), 3, 0, 3);
  FiniteElementSolver solver(equation);
  const Tensor all = solver.solve(problems).field("temperature").values;
  CHECK(torch::equal(solver.solve(problems.members(1, 1)).field("temperature").values, all.narrow(0, 1, 1)));
  const Tensor alone = FiniteElementSolver(equation).solve(problems.members(2, 1)).field("temperature").values;
  CHECK(torch::equal(alone, all.narrow(0, 2, 1)));
}

TEST_CASE("finite elements: PETSc's options choose another method, not another answer", "[solvers]")
{
  const PetscSession petsc({});
  const Elasticity equation;
  const Sample problem = equation.draw(equation.grid({6}), 3, 0, 1);
  const Tensor u = FiniteElementSolver(equation).solve(problem).field("displacement").values;
  using Options = std::map<std::string, std::string>;
  const auto options = GENERATE(Options{{"pc_type", "cholesky"}}, Options{{"ksp_type", "gmres"}, {"pc_type", "icc"}});
  FiniteElementSolver other(equation, {}, options);
  CAPTURE(other.description());
  CHECK_THAT(relative_distance(other.solve(problem).field("displacement").values, u),
             WithinAbs(0, 1e-5));  // 1e-8 times condition
}

TEST_CASE("finite elements: a solve that fails says why", "[solvers][error]")
{
  const PetscSession petsc({});
  const Elasticity equation;
  const Sample problem = equation.draw(equation.grid({6}), 3, 0, 1);
  const auto message = [&](const std::map<std::string, std::string>& options) {
    return message_of([&] { FiniteElementSolver(equation, {}, options).solve(problem); });
  };
  CHECK(says(message({{"ksp_max_it", "1"}}),
             {"member 0 of 1, [solver.petsc]", "KSP_DIVERGED_ITS after 1", "ksp_max_it = 10"}));
  CHECK(says(message({{"ksp_rtoll", "1e-3"}}), {"\"ksp_rtoll\"", "ksp_rtol = \"1e-3\""}));
  CHECK(says(message({{"pc_type", "gamgg"}}), {"gamgg"}));
}

TEST_CASE("tensile plate: a long strip with a hole has Howland's stress concentration", "[solvers]")
{
  // Hole of half the strip's width: the largest stress is 2.16 times the mean of the narrowest section, 4.32 times that
  // far away (Howland 1930; Pilkey, Peterson's Stress Concentration Factors, chart 4.1).
  const PetscSession petsc({});
  const Elasticity equation;
  Specimen strip;
  strip.length = 0.2;
  strip.gauge_length = 0.15;
  strip.grip_width = strip.gauge_width = 0.05;
  strip.radius_x = strip.radius_y = 0.0125;
  const Sample problem = equation.draw_on(mesh_of_specimen(strip, 24, true), 0, 0, 1);
  const Sample solution = FiniteElementSolver(equation).solve(problem);
  const Mesh& mesh = std::get<Mesh>(problem.domain);
  const Tensor on_hole = solution.field("von_mises").values.index_select(2, mesh.boundaries.at("hole").flatten());
  CHECK_THAT(on_hole.max().item<double>() / equation.options().tension / 2, WithinAbs(2.16, 0.03));
}

TEST_CASE("tensile plate: the solution as a picture is that on the mesh", "[solvers]")
{
  const PetscSession petsc({});
  const TensilePlate equation;
  const Sample problems = equation.draw(equation.grid({24, 48}), 2, 0, 2);
  const auto solver = solvers::make_reference_solver(equation, {}, {});
  const Sample solution = solver->solve(problems);
  const Tensor material = problems.field("mask").values > 0.5;
  for (const char* name : {"displacement", "von_mises"}) {
    const Tensor& values = solution.field(name).values;
    CHECK(torch::equal(values.isfinite().all(1, true), material));
  }
  // Across any section the axial force is tension times width: here the right grip, whose stress is nearly uniform.
  const Tensor column = solution.field("von_mises").values[0][0].select(1, 46);
  CHECK_THAT(column.index({material[0][0].select(1, 46)}).mean().item<double>() / 1e8, WithinAbs(1, 0.1));
  const double residual =
      (equation.residual(problems, solution).norm() / equation.forcing(problems).norm()).item<double>();
  CHECK(residual < 0.3);
}

TEST_CASE("finite elements: ranks find what one does", "[solvers][ranks2][ranks4]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  const PetscSession petsc(ranks);
  const Transport with_flow({.speed = 10}), solid;
  const Elasticity elasticity;
  const TensilePlate plate;
  const auto compare = [&](const SteadyEquation& equation, const std::vector<std::int64_t>& cells, const char* field) {
    const Sample problem = equation.draw(equation.grid(cells), 3, 0, 1);
    const auto alone = solvers::make_reference_solver(equation, {}, {})->solve(problem);
    const auto solver = solvers::make_reference_solver(equation, ranks, {});
    const auto together = solver->solve(problem);
    CHECK_THAT(relative_distance(together.field(field).values.nan_to_num(), alone.field(field).values.nan_to_num()),
               WithinAbs(0, 1e-5));  // 1e-8 times condition
    CHECK(together.scalars.at("relative_residual").values.max().item<double>() < 1.01e-8);
    // What several neighbours send is added up as it comes: the bits of a second solve may be others.
    const Sample again = solver->solve(problem);
    CHECK_THAT(relative_distance(again.field(field).values.nan_to_num(), together.field(field).values.nan_to_num()),
               WithinAbs(0, 1e-5));
  };
  compare(with_flow, {16, 12}, "temperature");
  compare(solid, {5, 6, 4}, "temperature");
  compare(elasticity, {6}, "displacement");
  compare(plate, {16, 32}, "von_mises");
}

TEST_CASE("finite elements: when a solve fails, every rank throws", "[solvers][error][ranks2]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  const PetscSession petsc(ranks);
  const Transport equation;
  Sample problem = equation.draw(equation.grid({8, 8}), 3, 0, 1);
  SECTION("diverged")
  {
    CHECK(says(message_of([&] {
                 FiniteElementSolver(equation, ranks, {{"ksp_max_it", "1"}}).solve(problem);
               }),
               {"KSP_DIVERGED_ITS"}));
  }
  SECTION("bad input on one rank")
  {
    if (ranks.rank() == 1) problem.fields["conductivity"].values[0][0][3] = -1;
    CHECK(says(message_of([&] { FiniteElementSolver(equation, ranks).solve(problem); }),
               {"field conductivity", "-1 at sample 0, vertex 3"}));
  }
  ranks.barrier();
}

TEST_CASE("finite elements: more ranks than vertices", "[solvers][ranks4]")
{
  const Communicator ranks(MPI_COMM_WORLD);
  const PetscSession petsc(ranks);
  const Transport equation;
  Mesh mesh = rectangle(1, 1, 1, 1);
  mesh.cells = mesh.cells.narrow(0, 0, 1);
  mesh.vertices = mesh.vertices.narrow(0, 0, 3);
  mesh.cells = torch::tensor({{0, 1, 2}}, torch::kInt64);
  mesh.boundaries = {{"left", torch::tensor({{0, 1}}, torch::kInt64)}};
  Sample problem = on(mesh);
  problem.fields["temperature_left"].values = torch::ones({1, 1, 3}, torch::kFloat64);
  const Sample solution = FiniteElementSolver(equation, ranks).solve(problem);
  CHECK_THAT((solution.field("temperature").values - 1).abs().max().item<double>(), WithinAbs(0, 1e-7));
}
