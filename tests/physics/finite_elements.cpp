#include <locum/core/random.hpp>
#include <locum/physics/finite_elements/elasticity.hpp>
#include <locum/physics/finite_elements/elements.hpp>
#include <locum/physics/finite_elements/interpolation.hpp>
#include <locum/physics/finite_elements/shapes.hpp>
#include <locum/physics/finite_elements/specimen.hpp>
#include <locum/physics/finite_elements/tensile_plate.hpp>
#include <locum/physics/finite_elements/transport.hpp>

#include <cmath>
#include <numbers>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::physics;
using tests::message_of;
using tests::relative_distance;
using tests::says;

namespace {

/// A mesh whose inner vertices are moved about, so that no cell is like another.
Mesh shaken(Mesh mesh, double by)
{
  RandomStream random(3, "vertices");
  const Tensor moved = torch::ones({mesh.vertices.size(0), 1}, torch::kFloat64);
  for (const auto& [name, facets] : mesh.boundaries) moved.index_fill_(0, facets.flatten(), 0);
  mesh.vertices = mesh.vertices + moved * by * (random.uniform(mesh.vertices.sizes()) - 0.5);
  return mesh;
}

double measure_of(const Mesh& mesh) { return at_quadrature_points(mesh).weights.sum().item<double>(); }

/// All four kinds of cells, on bodies of size 1.
Mesh small_mesh(Mesh::Cell kind)
{
  if (dimension_of(kind) == 2) {
    const Mesh mesh = shaken(rectangle(4, 3, 1, 1), 0.1);
    return is_quadratic(kind) ? quadratic(mesh) : mesh;
  }
  const Mesh mesh = shaken(box(3, 2, 2, 1, 1, 1), 0.1);
  return is_quadratic(kind) ? quadratic(mesh) : mesh;
}

const auto every_kind = {Mesh::Cell::triangle, Mesh::Cell::tetrahedron, Mesh::Cell::quadratic_triangle,
                         Mesh::Cell::quadratic_tetrahedron};

}  // namespace

TEST_CASE("finite elements: quadratures are exact to their degree", "[physics][property]")
{
  for (const auto kind : every_kind) {
    const Mesh mesh = small_mesh(kind);
    const Evaluation at = at_quadrature_points(mesh);
    const auto dimension = dimension_of(kind), degree = is_quadratic(kind) ? std::int64_t{4} : std::int64_t{2};
    // Over the unit square or cube ∫ xⁱ yʲ zᵏ = 1 / (i + 1)(j + 1)(k + 1).
    for (std::int64_t i = 0; i <= degree; ++i)
      for (std::int64_t j = 0; i + j <= degree; ++j)
        for (std::int64_t k = 0; dimension == 3 ? i + j + k <= degree : k == 0; ++k) {
          Tensor power = at.positions.select(-1, 0).pow(i) * at.positions.select(-1, 1).pow(j);
          if (dimension == 3) power = power * at.positions.select(-1, 2).pow(k);
          CAPTURE(static_cast<int>(kind), i, j, k);
          CHECK_THAT((at.weights * power).sum().item<double>(),
                     WithinAbs(1.0 / double((i + 1) * (j + 1) * (k + 1)), 1e-14));
        }
  }
}

TEST_CASE("finite elements: shape functions are 1 at their vertex, 0 at the others", "[physics][property]")
{
  for (const auto kind : every_kind) {
    const Evaluation at = at_vertices(small_mesh(kind));
    CHECK_THAT((at.values - torch::eye(at.values.size(0), torch::kFloat64)).abs().max().item<double>(),
               WithinAbs(0, 1e-15));
    CHECK_THAT(at.gradients.sum(2).abs().max().item<double>(), WithinAbs(0, 1e-12));  // they sum up to 1
  }
}

TEST_CASE("finite elements: gradients are those of linear functions, and of quadratic ones on quadratic cells",
          "[physics][property]")
{
  for (const auto kind : every_kind) {
    const Mesh mesh = small_mesh(kind);
    const auto at = at_quadrature_points(mesh);
    const auto degree = is_quadratic(kind) ? 2 : 1;
    const Tensor u = mesh.vertices.select(1, 0).pow(degree) - 3 * mesh.vertices.select(1, 1);
    const Tensor gradient =
        torch::einsum("cv,cpvd->cpd", {u.index_select(0, mesh.cells.flatten()).view(mesh.cells.sizes()), at.gradients});
    const Tensor x = at.positions.select(-1, 0);
    const Tensor expected_x = degree == 2 ? 2 * x : torch::ones_like(x);
    CHECK_THAT((gradient.select(-1, 0) - expected_x).abs().max().item<double>(), WithinAbs(0, 1e-12));
    CHECK_THAT((gradient.select(-1, 1) + 3).abs().max().item<double>(), WithinAbs(0, 1e-12));
  }
}

TEST_CASE("shapes: surfaces close, and each of their parts has its measure", "[physics][property]")
{
  for (const auto kind : every_kind) {
    const Mesh mesh = small_mesh(kind);
    CHECK_THAT(measure_of(mesh), WithinAbs(1, 1e-14));
    CHECK(mesh.boundaries.size() == std::size_t(2 * dimension_of(kind)));
    for (const auto& [name, facets] : mesh.boundaries)
      CHECK_THAT(on_facets(mesh, facets).weights.sum().item<double>(), WithinAbs(1, 1e-14));
  }
}

TEST_CASE("shapes: a specimen's area is its outline's", "[physics][property]")
{
  Specimen s;
  s.gauge_width = 0.03;
  s.hole_x = 0.002;
  s.hole_y = -0.001;
  s.radius_x = 0.006;
  s.radius_y = 0.004;
  const double step = 0.01, reach = std::sqrt(step * (2 * s.fillet - step)), angle = std::asin(reach / s.fillet);
  // Under a fillet: the rectangle to the height of its centre without the sector and the triangle beside it.
  const double fillet =
      reach * (s.gauge_width / 2 + s.fillet) - (s.fillet * s.fillet * angle / 2 + reach * (s.fillet - step) / 2);
  const double area = s.gauge_length * s.gauge_width + 4 * fillet +
                      (s.length - s.gauge_length - 2 * reach) * s.grip_width -
                      std::numbers::pi * s.radius_x * s.radius_y;
  std::vector<double> linear, curved;
  for (const std::int64_t across : {8, 16, 32}) {
    linear.push_back(std::abs(measure_of(mesh_of_specimen(s, across, false)) / area - 1));
    curved.push_back(std::abs(measure_of(mesh_of_specimen(s, across, true)) / area - 1));
  }
  CAPTURE(linear, curved);
  CHECK_THAT(std::log2(linear[1] / linear[2]), WithinAbs(2, 0.2));  // chords
  CHECK(std::log2(curved[1] / curved[2]) > 3);                      // parabolas
  const Mesh mesh = mesh_of_specimen(s, 8, true);
  CHECK(mesh.boundaries.size() == 4);
  CHECK_THAT(on_facets(mesh, mesh.boundaries.at("left")).weights.sum().item<double>(), WithinRel(s.grip_width, 1e-12));
}

TEST_CASE("shapes: every specimen that is drawn has a mesh without folded cells", "[physics][property]")
{
  SpecimenOptions options;
  options.check("test");
  const auto across = GENERATE(6, 10);
  for (std::int64_t i = 0; i < 100; ++i) {
    const Specimen s = draw_specimen(options, 7, i);
    CAPTURE(i, s.gauge_length, s.gauge_width, s.fillet, s.hole_x, s.hole_y, s.radius_x, s.radius_y);
    const Mesh mesh = mesh_of_specimen(s, across, true);
    CHECK_NOTHROW(at_quadrature_points(mesh));
    CHECK_NOTHROW(at_vertices(mesh));
  }
}

TEST_CASE("shapes: the distance to a specimen's outline", "[physics]")
{
  Specimen s;
  s.gauge_width = s.grip_width = 0.04;
  s.radius_x = s.radius_y = 0.008;
  const Tensor points =
      torch::tensor({{0.0, 0.0}, {0.0, 0.012}, {0.03, 0.018}, {0.06, 0.0}, {0.049, 0.0}}, torch::kFloat64);
  const Tensor distance = signed_distance(s, points);
  const Tensor expected = torch::tensor({0.008, -0.004, -0.002, 0.01, -0.001}, torch::kFloat64);
  CHECK_THAT((distance - expected).abs().max().item<double>(), WithinAbs(0, 1e-5));  // a polygon of 128 corners
}

TEST_CASE("specimens: outlines that do not fit are refused", "[physics][error]")
{
  Specimen s;
  s.hole_x = 0.024;
  CHECK(says(message_of([&] { mesh_of_specimen(s, 8, false); }), {"hole_x", "0.024", "in the narrow part"}));
  s = {};
  s.gauge_width = 0.06;
  CHECK(says(message_of([&] { mesh_of_specimen(s, 8, false); }), {"grip_width", "at least 0.06"}));
  SpecimenOptions options;
  options.hole_radius = {0.3, 0.1};
  CHECK(says(message_of([&] { options.check("elasticity"); }), {"hole_radius", "the smaller first"}));
  options.hole_radius = {0.1, 0.4};
  options.hole_offset = 0.2;
  CHECK(says(message_of([&] { options.check("elasticity"); }), {"hole_offset", "half the width"}));
}

TEST_CASE("finite elements: the residual of a linear field is rounding", "[physics][property]")
{
  // Patch test: prescribed on the whole boundary, uniform strain is a solution on any mesh.
  for (const auto kind : every_kind) {
    const Mesh mesh = small_mesh(kind);
    const Elasticity equation;
    const auto dimension = dimension_of(kind);
    const Tensor slope = torch::tensor({{1e-3, 2e-4, 3e-4}, {-1e-4, 5e-4, 2e-4}, {4e-4, 1e-4, -6e-4}}, torch::kFloat64)
                             .slice(0, 0, dimension)
                             .slice(1, 0, dimension);
    const Tensor u = mesh.vertices.mm(slope.t()).t().unsqueeze(0);
    Sample problem{.domain = mesh, .fields = {}, .scalars = {}, .time = 0};
    for (const auto& [name, facets] : mesh.boundaries) problem.fields["displacement_" + name].values = u;
    equation.check(problem);
    const Sample solution = equation.solution(problem, u);
    const double scale = equation.forcing(problem).norm().item<double>();
    CHECK(equation.residual(problem, solution).norm().item<double>() < 1e-14 * scale);
    const Tensor expected = von_mises(equation.stress(slope, torch::full({}, 70e9, torch::kFloat64)));
    CHECK_THAT(relative_distance(solution.field("von_mises").values, expected.expand({1, 1, mesh.vertices.size(0)})),
               WithinAbs(0, 1e-12));
  }
}

TEST_CASE("elasticity: uniaxial stress is Young's modulus times strain, in the sheet and in space", "[physics]")
{
  const Elasticity equation;
  const double nu = equation.options().poisson_ratio;
  for (const std::int64_t dimension : {2, 3}) {
    Tensor gradients = torch::eye(dimension, torch::kFloat64) * -nu;
    gradients[0][0] = 1;
    const Tensor stress = equation.stress(gradients, torch::ones({}, torch::kFloat64));
    Tensor expected = torch::zeros({3, 3}, torch::kFloat64);
    expected[0][0] = 1;
    CHECK_THAT((stress - expected).abs().max().item<double>(), WithinAbs(0, 1e-14));
    CHECK_THAT(von_mises(stress).item<double>(), WithinAbs(1, 1e-14));
  }
  // A slice of something long is what space is without strain along z.
  ElasticityOptions options;
  options.plane = Plane::strain;
  RandomStream random(1, "gradients");
  const Tensor flat = random.normal({2, 2}), one = torch::ones({}, torch::kFloat64);
  CHECK_THAT(relative_distance(Elasticity(options).stress(flat, one),
                               equation.stress(torch::constant_pad_nd(flat, {0, 1, 0, 1}), one)),
             WithinAbs(0, 1e-14));
}

TEST_CASE("finite elements: matrices are symmetric, and rigid motions are free", "[physics][property]")
{
  for (const auto kind : every_kind) {
    const Mesh mesh = small_mesh(kind);
    const Elasticity equation;
    Sample problem{.domain = mesh, .fields = {}, .scalars = {}, .time = 0};
    problem.fields["youngs_modulus"].values = 1 + mesh.vertices.select(1, 0).view({1, 1, -1});
    const ElementSystem system = equation.system(problem, 0);
    CHECK_THAT(relative_distance(system.matrices.transpose(1, 2), system.matrices), WithinAbs(0, 1e-15));
    const Tensor modes = equation.kernel(mesh);
    for (std::int64_t i = 0; i < modes.size(1); ++i)
      CHECK_THAT(system.product(modes.select(1, i)).abs().max().item<double>(), WithinAbs(0, 1e-12));
  }
}

TEST_CASE("finite elements: what is put in flows out", "[physics][property]")
{
  // Test functions sum up to 1: Σ (f − A u) = ∫ f + ∫ q over all rows if nothing is prescribed and v·n = 0.
  const Mesh mesh = small_mesh(Mesh::Cell::quadratic_triangle);
  const Transport equation;
  Sample problem{.domain = mesh, .fields = {}, .scalars = {}, .time = 0};
  const Tensor one = torch::ones({1, 1, mesh.vertices.size(0)}, torch::kFloat64);
  problem.fields["conductivity"].values = one + mesh.vertices.select(1, 1);
  problem.fields["forcing"].values = 3 * one;
  problem.fields["flux_left"].values = 2 * one;
  Sample solution;
  solution.domain = mesh;
  solution.fields["temperature"].values = RandomStream(1, "u").normal(one.sizes());
  CHECK_THAT(equation.residual(problem, solution).sum().item<double>(), WithinAbs(5, 1e-12));
  CHECK_THAT(equation.forcing(problem).sum().item<double>(), WithinAbs(5, 1e-13));
}

TEST_CASE("finite elements: gradients of the residual are finite differences'", "[physics][property]")
{
  const Mesh mesh = small_mesh(Mesh::Cell::triangle);
  const Transport equation({.speed = 5});
  Sample problem = equation.draw_on(mesh, 4, 0, 1);
  const Tensor k = problem.field("conductivity").values.clone().requires_grad_();
  RandomStream random(3, "temperature");
  const Tensor u = random.normal(k.sizes()).requires_grad_(), weights = random.normal(k.sizes());
  const auto weighted = [&](const Tensor& conductivity, const Tensor& temperature) {
    problem.fields["conductivity"].values = conductivity;
    Sample solution;
    solution.fields["temperature"].values = temperature;
    solution.domain = mesh;
    return (equation.residual(problem, solution) * weights).sum();
  };
  weighted(k, u).backward();
  const Tensor direction = random.normal(k.sizes());
  const double step = 1e-5;
  const auto slope = [&](const Tensor& dk, const Tensor& du) {
    torch::NoGradGuard no_gradients;
    return ((weighted(k + dk, u + du) - weighted(k - dk, u - du)) / (2 * step)).item<double>();
  };
  const Tensor none = torch::zeros_like(u);
  CHECK_THAT((k.grad() * direction).sum().item<double>(), WithinRel(slope(step * direction, none), 1e-7));
  CHECK_THAT((u.grad() * direction).sum().item<double>(), WithinRel(slope(none, step * direction), 1e-7));
}

TEST_CASE("finite elements: problems that cannot be solved are refused", "[physics][error]")
{
  const Elasticity equation;
  Mesh mesh = rectangle(3, 3, 1, 1);
  const Tensor zero = torch::zeros({1, 2, mesh.vertices.size(0)}, torch::kFloat64);
  Sample problem{.domain = mesh, .fields = {}, .scalars = {}, .time = 0};
  problem.fields["traction_right"].values = zero;
  const auto message = [&] { return message_of([&] { equation.check(problem); }); };
  SECTION("nothing holds the body")
  {
    CHECK(says(message(), {"boundary conditions", "0 prescribed values of displacement", "a rigid motion"}));
  }
  SECTION("a roller lets it slide")
  {
    problem.fields["displacement_left_x"].values = zero.narrow(1, 0, 1);
    CHECK(says(message(), {"4 prescribed values", "a rigid motion can be added", "\"displacement_bottom\""}));
    problem.fields["displacement_bottom_y"].values = zero.narrow(1, 0, 1);
    CHECK_NOTHROW(equation.check(problem));
  }
  SECTION("a field of another shape")
  {
    problem.fields["displacement_left"].values = zero.narrow(1, 0, 1);
    CHECK(says(message(), {"field displacement_left", "[1, 1, 16]", "[batch, 2, 16]"}));
  }
  SECTION("a modulus that is not positive")
  {
    problem.fields["youngs_modulus"].values = zero.narrow(1, 0, 1);
    CHECK(says(message(), {"field youngs_modulus", "0 at sample 0, vertex 0", "positive values"}));
  }
  SECTION("a value that is none")
  {
    problem.fields["traction_right"].values = zero + std::nan("");
    CHECK(says(message(), {"field traction_right", "nan at sample 0"}));
  }
  SECTION("a cell of vertices that are not there")
  {
    mesh.cells = mesh.cells.clone();
    mesh.cells[3][1] = 99;
    problem.domain = mesh;
    CHECK(says(message(), {"cells of the mesh", "vertex 99", "0 to 15"}));
  }
  SECTION("a folded cell")
  {
    mesh.vertices = mesh.vertices.clone();
    mesh.vertices[5] = mesh.vertices[6];
    problem.domain = mesh;
    problem.fields["displacement_left"].values = zero;
    CHECK(says(message_of([&] { equation.system(problem, 0); }), {"cell", "degenerate or folded"}));
  }
  SECTION("a grid")
  {
    problem.domain = Grid::cell_centres({4, 4}, {1, 1});
    CHECK(says(message(), {"a grid or points", "expected a mesh"}));
  }
}

TEST_CASE("interpolation from a mesh to a grid: exact for what the cells can show", "[physics][property]")
{
  const Grid grid = Grid::cell_centres({20, 30}, {1.2, 1.2});  // reaches beyond the mesh, and its points lie on no side
  const auto positions = torch::meshgrid({grid.coordinates(0), grid.coordinates(1)}, "ij");
  const Tensor there = (positions[0] < 1).logical_and(positions[1] < 1);
  for (const auto kind : {Mesh::Cell::triangle, Mesh::Cell::quadratic_triangle}) {
    const Mesh mesh = small_mesh(kind);
    const GridInterpolation interpolation(mesh, grid);
    CHECK(torch::equal(interpolation.inside(), there));
    const auto degree = is_quadratic(kind) ? 2 : 1;
    const auto f = [&](const Tensor& x, const Tensor& y) { return x.pow(degree) - 2 * x * (degree - 1) * y + y; };
    const Tensor u = f(mesh.vertices.select(1, 0), mesh.vertices.select(1, 1)).view({1, 1, -1});
    const Tensor v = interpolation(torch::cat({u, 2 * u}, 1));
    CHECK(v.sizes() == torch::IntArrayRef({1, 2, 20, 30}));
    const Tensor expected = f(positions[1], positions[0]);
    CHECK_THAT((v[0][0] - expected).index({there}).abs().max().item<double>(), WithinAbs(0, 1e-13));
    CHECK_THAT((v[0][1] - 2 * expected).index({there}).abs().max().item<double>(), WithinAbs(0, 1e-13));
    CHECK(v[0][0].index({there.logical_not()}).isnan().all().item<bool>());
  }
}

TEST_CASE("tensile plate: the grid's residual vanishes with order 2 on an equilibrium", "[physics][order]")
{
  // u = ∇(x² y − y³/3 + x y), harmonic potential: in equilibrium without forces; and a third-degree field of Airy's.
  const TensilePlate equation;
  std::vector<double> largest;
  for (const std::int64_t n : {16, 32, 64}) {
    const Grid grid = equation.grid({n, 2 * n});
    const auto positions = torch::meshgrid({grid.coordinates(0) * 50, grid.coordinates(1) * 50}, "ij");
    const Tensor &y = positions[0], &x = positions[1];
    Sample problem{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
    problem.fields["mask"].values = torch::ones({1, 1, n, 2 * n}, torch::kFloat64);
    Sample solution = problem;
    // ∇ of the harmonic Re exp(x + i y) = e^x cos y
    solution.fields["displacement"].values = torch::stack({x.exp() * y.cos(), -x.exp() * y.sin()}).unsqueeze(0) * 1e-3;
    const Tensor residual = equation.residual(problem, solution) / equation.forcing(problem).max();
    largest.push_back(residual.abs().max().item<double>());
  }
  CAPTURE(largest);
  // Relative to the forcing, which grows as the spacing falls: order 3.
  CHECK_THAT(std::log2(largest[1] / largest[2]), WithinAbs(3, 0.2));
}

TEST_CASE("tensile plate: draws are specimens as pictures", "[physics]")
{
  const TensilePlate equation;
  const Sample problems = equation.draw(equation.grid({24, 48}), 5, 3, 2);
  CHECK(problems.batch() == 2);
  CHECK(problems.field("mask").values.sizes() == torch::IntArrayRef({2, 1, 24, 48}));
  const Sample again = equation.draw(equation.grid({24, 48}), 5, 4, 1);
  CHECK(torch::equal(again.field("signed_distance").values, problems.field("signed_distance").values.narrow(0, 1, 1)));
  const Specimen s = specimen_of(problems, 1), drawn = draw_specimen({}, 5, 4);
  CHECK(s.gauge_width == drawn.gauge_width);
  CHECK(s.hole_y == drawn.hole_y);
  const double covered = problems.field("mask").values[1].mean().item<double>() * 0.1 * 0.05;
  CHECK_THAT(covered,
             WithinRel(at_quadrature_points(mesh_of_specimen(s, 16, true)).weights.sum().item<double>(), 0.02));
}
