#include "mesh_equation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>
#include <locum/core/random.hpp>

#include <cmath>
#include <numbers>

#include "elements.hpp"

namespace locum::physics {

static const char* const reading = "reading a problem on a mesh";

const Mesh& mesh_of(const Sample& problem)
{
  if (const Mesh* mesh = std::get_if<Mesh>(&problem.domain)) return *mesh;
  throw ShapeError({.doing = reading,
                    .where = "its domain",
                    .found = "a grid or points",
                    .expected = "a mesh of triangles or tetrahedra",
                    .advice = "io::read_gmsh() reads one, physics/finite_elements/shapes.hpp makes some"});
}

Tensor ElementSystem::product(const Tensor& u) const
{
  const Tensor own = u.index_select(0, unknowns.flatten()).view(unknowns.sizes());
  return torch::zeros_like(right_side).index_add(0, unknowns.flatten(), matrices.matmul(own.unsqueeze(-1)).flatten());
}

Tensor MeshEquation::values_of(const Sample& problem, const std::string& field, std::int64_t components,
                               std::int64_t member)
{
  const auto found = problem.fields.find(field);
  if (found == problem.fields.end()) return {};
  const Tensor& values = found->second.values;
  const auto vertices = mesh_of(problem).vertices.size(0);
  if (values.dim() != 3 || values.size(1) != components || values.size(2) != vertices)
    throw ShapeError({.doing = reading,
                      .where = fmt::format("field {}", field),
                      .found = to_string(values.sizes()),
                      .expected = fmt::format("[batch, {}, {}], [batch, component, vertex]", components, vertices),
                      .advice = ""});
  return values[member].to(torch::kCPU, torch::kFloat64);
}

/// Which unknowns are prescribed, and their values; both [vertex, component].
struct MeshEquation::Prescribed {
  Tensor fixed, values;
};

MeshEquation::Prescribed MeshEquation::prescribed(const Mesh& mesh, const Sample& problem, std::int64_t member) const
{
  const auto count = components(mesh), vertices = mesh.vertices.size(0);
  Tensor fixed = torch::zeros({vertices, count}, torch::kBool);
  Tensor values = torch::zeros({vertices, count}, torch::kFloat64);
  const auto prescribe = [&](const Tensor& facets, std::int64_t first, const Tensor& own) {
    Tensor there = torch::zeros({vertices, count}, torch::kBool);
    there.narrow(1, first, own.size(0)).index_fill_(0, facets.flatten(), true);
    Tensor all = torch::zeros_like(values);
    if (own.size(0) == count) all = own.t();
    else all = torch::cat({all.narrow(1, 0, first), own.t(), all.narrow(1, first + 1, count - first - 1)}, 1);
    values = torch::where(there, all, values);
    fixed = fixed.logical_or(there);
  };
  for (const auto& [name, facets] : mesh.boundaries) {
    const std::string field = fmt::format("{}_{}", unknown(), name);
    if (const Tensor own = values_of(problem, field, count, member); own.defined()) prescribe(facets, 0, own);
    for (std::int64_t i = 0; count > 1 && i < count; ++i)
      if (const Tensor own = values_of(problem, fmt::format("{}_{}", field, "xyz"[i]), 1, member); own.defined())
        prescribe(facets, i, own);
  }
  return {fixed, values};
}

Tensor MeshEquation::loads(const Mesh& mesh, const Sample& problem, std::int64_t member) const
{
  const auto count = components(mesh);
  Tensor sum = torch::zeros({mesh.vertices.size(0), count}, torch::kFloat64);
  for (const auto& [name, facets] : mesh.boundaries) {
    const Tensor own = values_of(problem, fmt::format("{}_{}", load(), name), count, member);
    if (!own.defined()) continue;
    const Evaluation on = on_facets(mesh, facets);
    const Tensor at_corners = own.t().index_select(0, facets.flatten()).view({facets.size(0), facets.size(1), count});
    const Tensor mass = torch::einsum("fp,pv,pw->fvw", {on.weights, on.values, on.values});
    sum = sum.index_add(0, facets.flatten(), mass.bmm(at_corners).flatten(0, 1));
  }
  return sum;
}

ElementSystem MeshEquation::system(const Sample& problem, std::int64_t member) const
{
  const Mesh& mesh = mesh_of(problem);
  const auto count = components(mesh);
  const WeakForm form = weak_form(mesh, problem, member);
  const auto [fixed, values] = prescribed(mesh, problem, member);
  ElementSystem system;
  system.unknowns = (mesh.cells.unsqueeze(-1) * count + torch::arange(count)).flatten(1);

  const Tensor at = system.unknowns.flatten();
  const Tensor is_fixed = fixed.flatten().index_select(0, at).view(system.unknowns.sizes());
  const Tensor free = is_fixed.logical_not().to(torch::kFloat64), held = is_fixed.to(torch::kFloat64);
  const Tensor own = values.flatten().index_select(0, at).view(system.unknowns.sizes());  // 0 where free
  const Tensor diagonal = form.matrices.diagonal(0, 1, 2) * held;
  system.matrices = form.matrices * free.unsqueeze(2) * free.unsqueeze(1) + torch::diag_embed(diagonal);
  Tensor right = diagonal * own - free * form.matrices.matmul(own.unsqueeze(-1)).squeeze(-1);
  if (form.loads.defined()) right = right + free * form.loads;
  const Tensor on_boundary = loads(mesh, problem, member) * fixed.logical_not();
  system.right_side = on_boundary.flatten().index_add(0, at, right.flatten());
  return system;
}

static Tensor as_field(const Tensor& unknowns, std::int64_t components) { return unknowns.view({-1, components}).t(); }

Tensor MeshEquation::residual(const Sample& problem, const Sample& solution) const
{
  const auto count = components(mesh_of(problem));
  std::vector<Tensor> members;
  for (std::int64_t m = 0; m < problem.batch(); ++m) {
    const ElementSystem equations = system(problem, m);
    const Tensor u = values_of(solution, unknown(), count, m);
    if (!u.defined()) solution.field(unknown());  // says which fields there are
    members.push_back(as_field(equations.right_side - equations.product(u.t().flatten()), count));
  }
  return torch::stack(members);
}

Tensor MeshEquation::forcing(const Sample& problem) const
{
  std::vector<Tensor> members;
  for (std::int64_t m = 0; m < problem.batch(); ++m)
    members.push_back(as_field(system(problem, m).right_side, components(mesh_of(problem))));
  return torch::stack(members);
}

static void require_indices(const Tensor& indices, const Mesh& mesh, const std::string& what)
{
  const auto vertices = mesh.vertices.size(0);
  if (indices.numel() == 0) return;
  const auto least = indices.min().item<std::int64_t>(), most = indices.max().item<std::int64_t>();
  if (least >= 0 && most < vertices) return;
  throw DataError({.doing = reading,
                   .where = what,
                   .found = fmt::format("vertex {}", least < 0 ? least : most),
                   .expected = fmt::format("0 to {}", vertices - 1),
                   .advice = ""});
}

void MeshEquation::check(const Sample& problem) const
{
  const Mesh& mesh = mesh_of(problem);
  require_indices(mesh.cells, mesh, "cells of the mesh");
  for (const auto& [name, facets] : mesh.boundaries) require_indices(facets, mesh, fmt::format("boundary {}", name));
  const Tensor used = torch::zeros({mesh.vertices.size(0)}, torch::kBool);
  used.index_fill_(0, mesh.cells.flatten(), true);
  if (!used.all().item<bool>())
    throw DataError({.doing = reading,
                     .where = "vertices of the mesh",
                     .found = fmt::format("vertex {} in no cell", used.logical_not().nonzero()[0].item<std::int64_t>()),
                     .expected = "vertices that cells stand on",
                     .advice = "leave it out"});
  check_finite(problem, reading, "problem");
  for (const std::string& name : positive()) {
    const auto found = problem.fields.find(name);
    if (found == problem.fields.end()) continue;
    const Tensor bad = (found->second.values <= 0).nonzero();
    if (bad.size(0) == 0) continue;
    const auto at = [&](std::int64_t axis) { return bad[0][axis].item<std::int64_t>(); };
    throw DataError({.doing = reading,
                     .where = fmt::format("field {}", name),
                     .found = fmt::format("{} at sample {}, vertex {}",
                                          found->second.values[at(0)][at(1)][at(2)].item<double>(), at(0), at(2)),
                     .expected = fmt::format("positive values ({})", found->second.unit),
                     .advice = ""});
  }
  if (problem.batch() == 0) return;
  const Tensor fixed = prescribed(mesh, problem, 0).fixed.flatten();
  const Tensor modes = kernel(mesh);
  // Motions that no condition holds: null vectors of what the conditions see of the kernel.
  const Tensor seen = (modes / modes.norm(2, {0}, true)).index({fixed});
  const double weakest = seen.size(0) == 0 ? 0.0 : torch::linalg_eigvalsh(seen.t().mm(seen), "L").min().item<double>();
  constexpr double rounding = 1e-13;
  if (weakest > rounding) return;
  std::vector<std::string> names;
  for (const auto& [name, facets] : mesh.boundaries) names.push_back(name);
  throw DataError({.doing = reading,
                   .where = "boundary conditions",
                   .found = fmt::format("{} prescribed values of {}, which leave it undetermined: {} can be added",
                                        fixed.sum().item<std::int64_t>(), unknown(),
                                        modes.size(1) == 1 ? "any constant" : "a rigid motion"),
                   .expected = fmt::format("values that hold it, on some of {}", fmt::join(names, ", ")),
                   .advice = names.empty() ? "" : fmt::format("a field \"{}_{}\"", unknown(), names.front())});
}

Tensor random_lognormal(const Mesh& mesh, double deviation, double length, std::uint64_t seed, std::int64_t i)
{
  constexpr std::int64_t waves = 64;
  RandomStream random(seed, "coefficient", static_cast<std::uint64_t>(i));
  const Tensor low = std::get<0>(mesh.vertices.min(0)), high = std::get<0>(mesh.vertices.max(0));
  const Tensor x = (mesh.vertices - low) / (high - low).max();
  const Tensor k = random.normal({mesh.vertices.size(1), waves}) / length;
  const Tensor phase = random.uniform({waves}) * (2 * std::numbers::pi);
  const Tensor g = (x.mm(k) + phase).cos().sum(1) * std::sqrt(2.0 / waves);
  return (deviation * g).exp();
}

}  // namespace locum::physics
