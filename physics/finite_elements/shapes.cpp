#include "shapes.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <array>
#include <cmath>
#include <unordered_map>

#include "elements.hpp"

namespace locum::physics {

static Tensor near(const Tensor& coordinates, double value, double size)
{
  constexpr double rounding = 1e-9;
  return (coordinates - value).abs() <= rounding * size;
}

Mesh rectangle(std::int64_t columns, std::int64_t rows, double width, double height)
{
  const auto line = [](std::int64_t cells, double length) {
    return torch::arange(cells + 1, torch::kFloat64) * (length / static_cast<double>(cells));
  };
  const auto positions = torch::meshgrid({line(columns, width), line(rows, height)}, "ij");
  Mesh mesh = mesh_of_patches({torch::stack({positions[0], positions[1]}, -1)});
  name_boundaries(mesh,
                  {{"left", [&](const Tensor& x) { return near(x.select(1, 0), 0, width); }},
                   {"right", [&](const Tensor& x) { return near(x.select(1, 0), width, width); }},
                   {"bottom", [&](const Tensor& x) { return near(x.select(1, 1), 0, height); }},
                   {"top", [&](const Tensor& x) { return near(x.select(1, 1), height, height); }}},
                  "others");
  return mesh;
}

Mesh box(std::int64_t nx, std::int64_t ny, std::int64_t nz, double length_x, double length_y, double length_z)
{
  const std::array<std::int64_t, 3> cells = {nx, ny, nz};
  const std::array<double, 3> lengths = {length_x, length_y, length_z};
  std::vector<Tensor> lines, whole;
  for (std::size_t i = 0; i < 3; ++i) {
    lines.push_back(torch::arange(cells[i] + 1, torch::kFloat64) * (lengths[i] / static_cast<double>(cells[i])));
    whole.push_back(torch::arange(cells[i], torch::kInt64));
  }
  const auto positions = torch::meshgrid(lines, "ij"), corners = torch::meshgrid(whole, "ij");
  Mesh mesh;
  mesh.kind = Mesh::Cell::tetrahedron;
  mesh.vertices = torch::stack(positions, -1).reshape({-1, 3});

  const std::array<std::int64_t, 3> stride = {(ny + 1) * (nz + 1), nz + 1, 1};
  const Tensor first = (corners[0] * stride[0] + corners[1] * stride[1] + corners[2] * stride[2]).flatten();
  std::vector<Tensor> tetrahedra;
  // From corner to opposite corner along the axes in every order; an odd order is turned inside out.
  for (const auto& [order, odd] : std::vector<std::pair<std::array<std::size_t, 3>, bool>>{{{0, 1, 2}, false},
                                                                                           {{1, 2, 0}, false},
                                                                                           {{2, 0, 1}, false},
                                                                                           {{1, 0, 2}, true},
                                                                                           {{0, 2, 1}, true},
                                                                                           {{2, 1, 0}, true}}) {
    std::array<Tensor, 4> at = {first, {}, {}, {}};
    for (std::size_t i = 0; i < 3; ++i) at[i + 1] = at[i] + stride[order[i]];
    if (odd) std::swap(at[1], at[2]);
    tetrahedra.push_back(torch::stack({at[0], at[1], at[2], at[3]}, 1));
  }
  mesh.cells = torch::stack(tetrahedra, 1).flatten(0, 1).contiguous();
  std::vector<std::pair<std::string, std::function<Tensor(const Tensor&)>>> sides;
  const std::array<std::array<const char*, 2>, 3> names = {{{"left", "right"}, {"bottom", "top"}, {"back", "front"}}};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t end = 0; end < 2; ++end)
      sides.emplace_back(names[i][end], [=](const Tensor& x) {
        return near(x.select(1, static_cast<std::int64_t>(i)), end == 0 ? 0 : lengths[i], lengths[i]);
      });
  name_boundaries(mesh, sides, "others");
  return mesh;
}

namespace {

/// Numbers places: points nearer than a tolerance get one number.
class Places {
 public:
  explicit Places(double tolerance) : tolerance_(tolerance) {}

  std::int64_t number(double x, double y)
  {
    const auto column = std::llround(x / tolerance_), row = std::llround(y / tolerance_);
    for (const int dx : {0, -1, 1})
      for (const int dy : {0, -1, 1})
        if (const auto found = numbers_.find(key(column + dx, row + dy)); found != numbers_.end()) return found->second;
    const auto next = static_cast<std::int64_t>(positions_.size() / 2);
    numbers_.emplace(key(column, row), next);
    positions_.insert(positions_.end(), {x, y});
    return next;
  }

  Tensor positions() const { return torch::tensor(positions_, torch::kFloat64).view({-1, 2}); }

 private:
  static std::uint64_t key(long long column, long long row)
  {
    return (static_cast<std::uint64_t>(column) << 32) ^ (static_cast<std::uint64_t>(row) & 0xffffffffU);
  }

  double tolerance_;
  std::unordered_map<std::uint64_t, std::int64_t> numbers_;
  std::vector<double> positions_;
};

/// Facets of cells by their corners, [cell · facet, corner].
Tensor facets_of(const Mesh& mesh)
{
  static const Tensor edges = torch::tensor({{0, 1}, {1, 2}, {2, 0}}, torch::kInt64);
  static const Tensor curved_edges = torch::tensor({{0, 1, 3}, {1, 2, 4}, {2, 0, 5}}, torch::kInt64);
  static const Tensor faces = torch::tensor({{0, 2, 1}, {0, 1, 3}, {1, 2, 3}, {0, 3, 2}}, torch::kInt64);
  static const Tensor curved_faces =
      torch::tensor({{0, 2, 1, 6, 5, 4}, {0, 1, 3, 4, 8, 7}, {1, 2, 3, 5, 9, 8}, {0, 3, 2, 7, 9, 6}}, torch::kInt64);
  const bool plane = dimension_of(mesh.kind) == 2;
  const Tensor& own = is_quadratic(mesh.kind) ? (plane ? curved_edges : curved_faces) : (plane ? edges : faces);
  return mesh.cells.index_select(1, own.flatten()).view({-1, own.size(1)});
}

}  // namespace

Mesh mesh_of_patches(const std::vector<Tensor>& patches)
{
  double size = 0;
  for (const Tensor& patch : patches) size = std::max(size, patch.abs().max().item<double>());
  constexpr double rounding = 1e-8;  // numbers of places fit into 32 bits
  Places places(rounding * size);
  std::vector<std::int64_t> cells;
  for (const Tensor& patch : patches) {
    const Tensor positions = patch.contiguous();
    const auto* x = positions.data_ptr<double>();
    const std::int64_t rows = patch.size(0), columns = patch.size(1);
    std::vector<std::int64_t> numbers;
    for (std::int64_t i = 0; i < rows * columns; ++i) numbers.push_back(places.number(x[2 * i], x[2 * i + 1]));
    const auto at = [&](std::int64_t i, std::int64_t j) { return numbers[static_cast<std::size_t>(i * columns + j)]; };
    for (std::int64_t i = 0; i + 1 < rows; ++i)
      for (std::int64_t j = 0; j + 1 < columns; ++j)
        cells.insert(cells.end(), {at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j), at(i + 1, j + 1), at(i, j + 1)});
  }
  Mesh mesh{
      .vertices = places.positions(), .cells = torch::tensor(cells, torch::kInt64).view({-1, 3}), .boundaries = {}};
  const Tensor corners = mesh.vertices.index_select(0, mesh.cells.flatten()).view({-1, 3, 2});
  const Tensor a = corners.select(1, 1) - corners.select(1, 0), b = corners.select(1, 2) - corners.select(1, 0);
  const Tensor clockwise = a.select(1, 0) * b.select(1, 1) < a.select(1, 1) * b.select(1, 0);
  mesh.cells = torch::where(clockwise.unsqueeze(1), mesh.cells.index_select(1, torch::tensor({0, 2, 1})), mesh.cells);
  return mesh;
}

Tensor surface_of(const Mesh& mesh)
{
  const Tensor facets = facets_of(mesh);
  const auto corners = dimension_of(mesh.kind);
  const Tensor sorted = std::get<0>(facets.narrow(1, 0, corners).sort(1));
  const auto [distinct, which, counts] = torch::unique_dim(sorted, 0, true, true, true);
  return facets.index({counts.index_select(0, which) == 1});
}

void name_boundaries(Mesh& mesh,
                     const std::vector<std::pair<std::string, std::function<Tensor(const Tensor&)>>>& conditions,
                     const std::string& others)
{
  const Tensor surface = surface_of(mesh);
  const Tensor corners = surface.narrow(1, 0, dimension_of(mesh.kind));
  Tensor left = torch::ones({surface.size(0)}, torch::kBool);
  const auto name = [&](const std::string& boundary, const Tensor& own) {
    if (own.any().item<bool>()) mesh.boundaries[boundary] = surface.index({own});
    left = left.logical_and(own.logical_not());
  };
  for (const auto& [boundary, condition] : conditions)
    name(boundary,
         condition(mesh.vertices).index_select(0, corners.flatten()).view(corners.sizes()).all(1).logical_and(left));
  name(others, left);
}

Mesh quadratic(const Mesh& mesh)
{
  if (mesh.kind != Mesh::Cell::triangle && mesh.kind != Mesh::Cell::tetrahedron)
    throw ShapeError({.doing = "making quadratic cells",
                      .where = "",
                      .found = "cells that are no linear triangles or tetrahedra",
                      .expected = "linear ones",
                      .advice = ""});
  const auto vertices = mesh.vertices.size(0);
  const auto keys_of = [&](const Tensor& cells, const Tensor& edges) {
    const Tensor ends = cells.index_select(1, edges.flatten()).view({cells.size(0), edges.size(0), 2});
    return std::get<0>(ends.min(2)) * vertices + std::get<0>(ends.max(2));
  };
  const Tensor keys = keys_of(mesh.cells, edges_of(mesh.kind));
  const Tensor distinct = std::get<0>(torch::_unique2(keys));
  const auto with_middles = [&](const Tensor& cells, const Tensor& edges) {
    return torch::cat({cells, torch::searchsorted(distinct, keys_of(cells, edges)) + vertices}, 1);
  };
  Mesh fine;
  fine.kind = mesh.kind == Mesh::Cell::triangle ? Mesh::Cell::quadratic_triangle : Mesh::Cell::quadratic_tetrahedron;
  const Tensor from = torch::floor_divide(distinct, vertices), to = distinct.remainder(vertices);
  const Tensor middles = (mesh.vertices.index_select(0, from) + mesh.vertices.index_select(0, to)) / 2;
  fine.vertices = torch::cat({mesh.vertices, middles});
  fine.cells = with_middles(mesh.cells, edges_of(mesh.kind));
  const Tensor edges_of_facet =
      mesh.kind == Mesh::Cell::triangle ? torch::tensor({{0, 1}}, torch::kInt64) : edges_of(Mesh::Cell::triangle);
  for (const auto& [name, facets] : mesh.boundaries) fine.boundaries[name] = with_middles(facets, edges_of_facet);
  return fine;
}

}  // namespace locum::physics
