#include "elements.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>

namespace locum::physics {

static const auto real = torch::TensorOptions().dtype(torch::kFloat64);

bool is_quadratic(Mesh::Cell kind)
{
  return kind == Mesh::Cell::quadratic_triangle || kind == Mesh::Cell::quadratic_tetrahedron;
}

std::int64_t dimension_of(Mesh::Cell kind)
{
  switch (kind) {
    case Mesh::Cell::triangle:
    case Mesh::Cell::quadratic_triangle:
    case Mesh::Cell::quadrilateral:
      return 2;
    default:
      return 3;
  }
}

/// Edges of a line, triangle or tetrahedron, as VTK orders them.
static Tensor edges_of_simplex(std::int64_t dimension)
{
  static const Tensor all = torch::tensor({{0, 1}, {1, 2}, {2, 0}, {0, 3}, {1, 3}, {2, 3}}, torch::kInt64);
  return all.narrow(0, 0, dimension * (dimension + 1) / 2);
}

Tensor edges_of(Mesh::Cell kind) { return edges_of_simplex(dimension_of(kind)); }

namespace {

/// Points of a simplex and the parts of its measure they stand for.
struct PointRule {
  Tensor barycentric;  // [point, corner]
  Tensor weights;      // [point], sum 1
};

/// All distinct orders of one row of barycentric coordinates, in which at most two values differ.
Tensor orbit(std::int64_t corners, double a, std::int64_t of_a, double b)
{
  std::vector<Tensor> rows;
  for (std::int64_t mask = 0; mask < (1 << corners); ++mask) {
    Tensor row = torch::full({corners}, b, real);
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < corners; ++i)
      if (mask >> i & 1) {
        row[i] = a;
        ++count;
      }
    if (count == of_a) rows.push_back(row);
  }
  return torch::stack(rows);
}

PointRule joined(const std::vector<std::pair<Tensor, double>>& orbits)
{
  std::vector<Tensor> points, weights;
  for (const auto& [rows, weight] : orbits) {
    points.push_back(rows);
    weights.push_back(torch::full({rows.size(0)}, weight, real));
  }
  return {torch::cat(points), torch::cat(weights)};
}

/// Lines: Gauss and Legendre's of degree 5. Triangles: degree 2 of 3 points, 4 of 6 (Dunavant 1985). Tetrahedra: degree
/// 2 of 4 points, 5 of 14 (Walkington 2000). Each has positive weights, and its points inside.
PointRule quadrature(std::int64_t dimension, bool quadratic)
{
  if (dimension == 1) {
    const double x = (1 + std::sqrt(0.6)) / 2;
    return joined({{orbit(2, x, 1, 1 - x), 5.0 / 18}, {torch::full({1, 2}, 0.5, real), 4.0 / 9}});
  }
  if (dimension == 2) {
    if (!quadratic) return joined({{orbit(3, 2.0 / 3, 1, 1.0 / 6), 1.0 / 3}});
    const double a = 0.445948490915964886, b = 0.091576213509770743;
    return joined(
        {{orbit(3, 1 - 2 * a, 1, a), 0.223381589678011466}, {orbit(3, 1 - 2 * b, 1, b), 0.109951743655321868}});
  }
  if (!quadratic) {
    const double a = (5 - std::sqrt(5.0)) / 20;
    return joined({{orbit(4, 1 - 3 * a, 1, a), 0.25}});
  }
  const double a = 0.310885919263300610, b = 0.092735250310891226, c = 0.045503704125649649;
  return joined({{orbit(4, 1 - 3 * a, 1, a), 0.112687925718015851},
                 {orbit(4, 1 - 3 * b, 1, b), 0.073493043116361950},
                 {orbit(4, c, 2, 0.5 - c), 0.042546020777081466}});
}

/// The vertices of a cell as points, in their order.
PointRule vertex_rule(std::int64_t dimension, bool quadratic)
{
  const Tensor corners = torch::eye(dimension + 1, real);
  const Tensor edges = edges_of_simplex(dimension);
  Tensor points = corners;
  if (quadratic)
    points = torch::cat(
        {corners, (corners.index_select(0, edges.select(1, 0)) + corners.index_select(0, edges.select(1, 1))) / 2});
  return {points, torch::full({points.size(0)}, 1.0 / static_cast<double>(points.size(0)), real)};
}

/// Values [point, vertex] of the shape functions and their derivatives along the reference cell's axes
/// [point, vertex, axis].
struct ShapeFunctions {
  Tensor values, slopes;
};

ShapeFunctions shape_functions(const Tensor& barycentric, bool quadratic)
{
  const std::int64_t corners = barycentric.size(1), dimension = corners - 1;
  // Along axis i the coordinate of corner i + 1 grows, that of corner 0 falls.
  const Tensor axes = torch::cat({torch::full({1, dimension}, -1.0, real), torch::eye(dimension, real)});
  const Tensor& l = barycentric;
  if (!quadratic) return {l, axes.unsqueeze(0).expand({l.size(0), corners, dimension})};
  const Tensor edges = edges_of_simplex(dimension);
  const Tensor a = edges.select(1, 0), b = edges.select(1, 1);
  const Tensor la = l.index_select(1, a), lb = l.index_select(1, b);
  const Tensor values = torch::cat({l * (2 * l - 1), 4 * la * lb}, 1);
  const Tensor at_corners = (4 * l - 1).unsqueeze(-1) * axes;
  const Tensor on_edges = 4 * (la.unsqueeze(-1) * axes.index_select(0, b) + lb.unsqueeze(-1) * axes.index_select(0, a));
  return {values, torch::cat({at_corners, on_edges}, 1)};
}

double factorial(std::int64_t n) { return n < 2 ? 1 : static_cast<double>(n) * factorial(n - 1); }

[[noreturn]] void refuse(const std::string& where, const std::string& found, const std::string& expected)
{
  throw ShapeError(
      {.doing = "integrating over a mesh", .where = where, .found = found, .expected = expected, .advice = ""});
}

Evaluation evaluate(const Mesh& mesh, const PointRule& rule)
{
  const std::int64_t dimension = dimension_of(mesh.kind);
  const auto [values, slopes] = shape_functions(rule.barycentric, is_quadratic(mesh.kind));
  if (mesh.kind == Mesh::Cell::quadrilateral || mesh.kind == Mesh::Cell::hexahedron)
    refuse("cells", "quadrilaterals or hexahedra", "triangles or tetrahedra");
  if (mesh.cells.dim() != 2 || mesh.cells.size(1) != values.size(1) || mesh.vertices.dim() != 2 ||
      mesh.vertices.size(1) != dimension)
    refuse("cells",
           fmt::format("vertices {}, cells {}", to_string(mesh.vertices.sizes()), to_string(mesh.cells.sizes())),
           fmt::format("[vertex, {}] and [cell, {}]", dimension, values.size(1)));
  if (mesh.cells.size(0) == 0) refuse("cells", "none", "at least one");

  const Tensor corners =
      mesh.vertices.index_select(0, mesh.cells.flatten()).view({mesh.cells.size(0), mesh.cells.size(1), dimension});
  const Tensor jacobian = torch::einsum("cvd,pvr->cpdr", {corners, slopes});  // ∂x_d / ∂ξ_r
  const Tensor determinant = torch::linalg_det(jacobian);
  const Tensor good = torch::logical_or((determinant > 0).all(1), (determinant < 0).all(1));
  if (!good.all().item<bool>()) {
    const auto cell = good.logical_not().nonzero()[0].item<std::int64_t>();
    std::vector<double> centre;
    for (std::int64_t d = 0; d < dimension; ++d) centre.push_back(corners[cell].select(1, d).mean().item<double>());
    refuse(fmt::format("cell {} around [{:.4g}]", cell, fmt::join(centre, ", ")), "a degenerate or folded cell",
           "cells with an inside");
  }
  return {.values = values,
          .weights = determinant.abs() * rule.weights / factorial(dimension),
          .positions = torch::einsum("pv,cvd->cpd", {values, corners}),
          .gradients = torch::einsum("pvr,cprd->cpvd", {slopes, torch::linalg_inv(jacobian)})};
}

}  // namespace

Tensor shape_values(const Tensor& barycentric, bool quadratic)
{
  return shape_functions(barycentric, quadratic).values;
}

Evaluation at_quadrature_points(const Mesh& mesh)
{
  return evaluate(mesh, quadrature(dimension_of(mesh.kind), is_quadratic(mesh.kind)));
}

Evaluation at_vertices(const Mesh& mesh)
{
  return evaluate(mesh, vertex_rule(dimension_of(mesh.kind), is_quadratic(mesh.kind)));
}

Evaluation on_facets(const Mesh& mesh, const Tensor& facets)
{
  const std::int64_t dimension = dimension_of(mesh.kind);
  const PointRule rule = quadrature(dimension - 1, /*quadratic=*/true);
  const auto [values, slopes] = shape_functions(rule.barycentric, is_quadratic(mesh.kind));
  if (facets.dim() != 2 || facets.size(1) != values.size(1))
    refuse("a named boundary", to_string(facets.sizes()), fmt::format("[facet, {}]", values.size(1)));
  const Tensor corners =
      mesh.vertices.index_select(0, facets.flatten()).view({facets.size(0), facets.size(1), dimension});
  const Tensor tangents = torch::einsum("fvd,pvr->fpdr", {corners, slopes});
  const Tensor measure = torch::linalg_det(tangents.transpose(-1, -2).matmul(tangents)).sqrt();
  return {.values = values,
          .weights = measure * rule.weights / factorial(dimension - 1),
          .positions = torch::einsum("pv,fvd->fpd", {values, corners}),
          .gradients = {}};
}

}  // namespace locum::physics
