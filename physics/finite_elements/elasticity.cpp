#include "elasticity.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>

#include "../requirements.hpp"
#include "elements.hpp"

namespace locum::physics {

Elasticity::Elasticity(ElasticityOptions options) : options_(std::move(options))
{
  require_positive(name(), {{"youngs_modulus", options_.youngs_modulus}});
  if (!(options_.poisson_ratio > -1 && options_.poisson_ratio < 0.5))
    throw OptionError({.doing = "setting up equation elasticity",
                       .where = "poisson_ratio",
                       .found = fmt::format("{}", options_.poisson_ratio),
                       .expected = "above -1 and below 0.5",
                       .advice = "poisson_ratio = 0.33"});
  options_.specimen.check(name());
}

std::vector<std::string> Elasticity::inputs() const
{
  return {"displacement_" + options_.clamped, "traction_" + options_.pulled};
}

Grid Elasticity::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 1);
  return Grid::cell_centres(cells, {1});
}

Sample Elasticity::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  if (count != 1)
    throw ShapeError({.doing = "drawing a specimen on a mesh",
                      .where = name(),
                      .found = fmt::format("{} at once", count),
                      .expected = "one: each has a mesh of its own",
                      .advice = ""});
  const Specimen specimen = draw_specimen(options_.specimen, seed, first);
  const Mesh mesh = mesh_of_specimen(specimen, grid.axes.at(0).points, options_.quadratic);
  Sample problem = draw_on(mesh, seed, first, count);
  problem.scalars = scalars_of(specimen);
  return problem;
}

Sample Elasticity::draw_on(const Mesh& mesh, std::uint64_t, std::int64_t, std::int64_t count) const
{
  std::vector<std::string> names;
  for (const auto& [name, facets] : mesh.boundaries) names.push_back(name);
  for (const std::string& name : {options_.clamped, options_.pulled})
    if (!mesh.boundaries.contains(name))
      throw DataError(
          {.doing = "setting up a body under tension",
           .where = "[equation], clamped and pulled",
           .found = fmt::format("no boundary \"{}\" of the mesh", name),
           .expected = names.empty() ? "boundaries with names" : fmt::format("one of {}", fmt::join(names, ", ")),
           .advice = nearest_name(name, names)});
  const auto dimension = mesh.vertices.size(1);
  const Tensor zero = torch::zeros({count, dimension, mesh.vertices.size(0)}, torch::kFloat64);
  Tensor traction = zero.clone();
  traction.select(1, 0).fill_(options_.tension);
  Sample problems{.domain = mesh, .fields = {}, .scalars = {}, .time = 0};
  problems.fields["displacement_" + options_.clamped] = {.values = zero, .unit = "m"};
  problems.fields["traction_" + options_.pulled] = {.values = traction, .unit = "Pa"};
  return problems;
}

Tensor Elasticity::kernel(const Mesh& mesh) const
{
  const auto dimension = mesh.vertices.size(1);
  const Tensor x = mesh.vertices - mesh.vertices.mean(0);
  std::vector<Tensor> modes;
  for (std::int64_t i = 0; i < dimension; ++i) {
    const Tensor shift = torch::zeros_like(x);
    shift.select(1, i).fill_(1);
    modes.push_back(shift.flatten());
  }
  for (std::int64_t i = 0; i < dimension; ++i)
    for (std::int64_t j = i + 1; j < dimension; ++j) {  // turns in the plane of axes i and j
      const Tensor turn = torch::zeros_like(x);
      turn.select(1, i).copy_(-x.select(1, j));
      turn.select(1, j).copy_(x.select(1, i));
      modes.push_back(turn.flatten());
    }
  return torch::stack(modes, 1);
}

std::pair<double, double> Elasticity::moduli(std::int64_t dimension) const
{
  const double nu = options_.poisson_ratio;
  const bool thin = dimension == 2 && options_.plane == Plane::stress;  // σ_zz = 0 worked in
  return {thin ? nu / (1 - nu * nu) : nu / ((1 + nu) * (1 - 2 * nu)), 0.5 / (1 + nu)};
}

Tensor Elasticity::stress(const Tensor& gradients, const Tensor& modulus) const
{
  const auto dimension = gradients.size(-1);
  const auto [lambda, mu] = moduli(dimension);
  const Tensor strain = (gradients + gradients.transpose(-1, -2)) / 2;
  const Tensor trace = strain.diagonal(0, -1, -2).sum(-1);
  const Tensor in_plane =
      (lambda * trace.unsqueeze(-1).unsqueeze(-1) * torch::eye(dimension, gradients.options()) + 2 * mu * strain) *
      modulus.unsqueeze(-1).unsqueeze(-1);
  if (dimension == 3) return in_plane;
  const Tensor padded = torch::constant_pad_nd(in_plane, {0, 1, 0, 1});
  if (options_.plane == Plane::stress) return padded;
  const Tensor across = torch::zeros({3, 3}, gradients.options());
  across[2][2] = lambda;
  return padded + (trace * modulus).unsqueeze(-1).unsqueeze(-1) * across;
}

Tensor von_mises(const Tensor& stress)
{
  const Tensor mean = stress.diagonal(0, -1, -2).sum(-1) / 3;
  const Tensor deviator = stress - mean.unsqueeze(-1).unsqueeze(-1) * torch::eye(3, stress.options());
  return (1.5 * deviator.square().sum({-1, -2})).sqrt();
}

Sample Elasticity::solution(const Sample& problem, const Tensor& values) const
{
  const Mesh& mesh = mesh_of(problem);
  const auto vertices = mesh.vertices.size(0), dimension = mesh.vertices.size(1);
  const Evaluation at = at_vertices(mesh);
  const Tensor index = mesh.cells.flatten();
  const Tensor share = at.weights.sum(1, true).expand(mesh.cells.sizes()).flatten();  // a cell's measure
  const Tensor around = torch::zeros({vertices}, torch::kFloat64).index_add(0, index, share);
  std::vector<Tensor> members;
  for (std::int64_t m = 0; m < values.size(0); ++m) {
    const Tensor u = values[m].to(torch::kFloat64).t().index_select(0, index);
    const Tensor gradients =
        torch::einsum("cvi,cpvd->cpid", {u.view({mesh.cells.size(0), mesh.cells.size(1), dimension}), at.gradients});
    const Tensor own = values_of(problem, "youngs_modulus", 1, m);
    const Tensor modulus = own.defined() ? own[0].index_select(0, index).view(mesh.cells.sizes())
                                         : torch::full(mesh.cells.sizes(), options_.youngs_modulus, torch::kFloat64);
    const Tensor all = stress(gradients, modulus).view({-1, 9}) * share.unsqueeze(1);
    const Tensor mean = torch::zeros({vertices, 9}, torch::kFloat64).index_add(0, index, all) / around.unsqueeze(1);
    members.push_back(von_mises(mean.view({-1, 3, 3})).unsqueeze(0));
  }
  Sample solution{.domain = problem.domain, .fields = {}, .scalars = {}, .time = problem.time};
  solution.fields["displacement"] = {.values = values, .unit = "m"};
  solution.fields["von_mises"] = {.values = torch::stack(members), .unit = "Pa"};
  return solution;
}

MeshEquation::WeakForm Elasticity::weak_form(const Mesh& mesh, const Sample& problem, std::int64_t member) const
{
  const Evaluation at = at_quadrature_points(mesh);
  const auto cells = mesh.cells.size(0), corners = mesh.cells.size(1), dimension = mesh.vertices.size(1);
  const auto at_points = [&](const Tensor& field) {
    const Tensor own = field.t().index_select(0, mesh.cells.flatten()).view({cells, corners, -1});
    return torch::einsum("pv,cvi->cpi", {at.values, own});
  };
  Tensor weights = at.weights * options_.youngs_modulus;
  if (const Tensor own = values_of(problem, "youngs_modulus", 1, member); own.defined())
    weights = at.weights * at_points(own).squeeze(-1);

  // ∫ E ∂_i N_v ∂_j N_w, of which every term is a permutation: K = λ [vi, wj] + μ [vj, wi] + μ δ_ij Σ_k [vk, wk].
  const Tensor gradients = at.gradients.flatten(2);  // [cell, point, vertex · axis]
  const Tensor products = (gradients * weights.unsqueeze(-1))
                              .transpose(1, 2)
                              .bmm(gradients)
                              .view({cells, corners, dimension, corners, dimension});
  const auto [lambda, mu] = moduli(dimension);
  const Tensor laplacian = products.diagonal(0, 2, 4).sum(-1);  // [cell, vertex, vertex]
  const Tensor identity = torch::eye(dimension, torch::kFloat64).view({1, 1, dimension, 1, dimension});
  const Tensor matrices = lambda * products + mu * products.transpose(2, 4) +
                          mu * laplacian.view({cells, corners, 1, corners, 1}) * identity;
  WeakForm form{.matrices = matrices.reshape({cells, corners * dimension, corners * dimension}), .loads = {}};
  if (const Tensor f = values_of(problem, "body_force", dimension, member); f.defined())
    form.loads = torch::einsum("cp,pv,cpi->cvi", {at.weights, at.values, at_points(f)}).flatten(1);
  return form;
}

}  // namespace locum::physics
