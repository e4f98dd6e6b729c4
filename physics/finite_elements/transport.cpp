#include "transport.hpp"

#include <locum/core/error.hpp>
#include <locum/core/random.hpp>

#include <cmath>

#include "../requirements.hpp"
#include "elements.hpp"
#include "shapes.hpp"

namespace locum::physics {

Transport::Transport(TransportOptions options) : options_(options)
{
  require_positive(name(), {{"length", options.length}});
  require_not_negative(name(), {{"deviation", options.deviation}, {"speed", options.speed}});
}

std::vector<std::string> Transport::inputs() const
{
  if (options_.speed > 0) return {"conductivity", "velocity", "forcing"};
  return {"conductivity", "forcing"};
}

Grid Transport::grid(const std::vector<std::int64_t>& cells) const
{
  if (cells.size() != 3) require_axes(name(), cells, 2);
  return Grid::cell_centres(cells, std::vector<double>(cells.size(), 1.0));
}

Sample Transport::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  const auto cells = grid.shape();
  const Mesh mesh =
      cells.size() == 2 ? rectangle(cells[1], cells[0], 1, 1) : box(cells[2], cells[1], cells[0], 1, 1, 1);
  return draw_on(options_.quadratic ? quadratic(mesh) : mesh, seed, first, count);
}

Sample Transport::draw_on(const Mesh& mesh, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  const auto vertices = mesh.vertices.size(0), dimension = mesh.vertices.size(1);
  Sample problems{.domain = mesh, .fields = {}, .scalars = {}, .time = 0};
  std::vector<Tensor> conductivities, velocities;
  for (std::int64_t i = first; i < first + count; ++i) {
    conductivities.push_back(random_lognormal(mesh, options_.deviation, options_.length, seed, i));
    const Tensor direction = RandomStream(seed, "velocity", static_cast<std::uint64_t>(i)).normal({dimension});
    velocities.push_back((options_.speed * direction / direction.norm()).unsqueeze(1).expand({dimension, vertices}));
  }
  const Tensor k = torch::stack(conductivities).unsqueeze(1);
  problems.fields["conductivity"] = {.values = k, .unit = "1"};
  problems.fields["forcing"] = {.values = torch::full_like(k, options_.forcing), .unit = "1"};
  if (options_.speed > 0) problems.fields["velocity"] = {.values = torch::stack(velocities), .unit = "1"};
  for (const auto& [name, facets] : mesh.boundaries)
    problems.fields["temperature_" + name] = {.values = torch::zeros_like(k), .unit = "1"};
  return problems;
}

Tensor Transport::kernel(const Mesh& mesh) const { return torch::ones({mesh.vertices.size(0), 1}, torch::kFloat64); }

Sample Transport::solution(const Sample& problem, const Tensor& values) const
{
  Sample solution{.domain = problem.domain, .fields = {}, .scalars = {}, .time = problem.time};
  solution.fields["temperature"] = {.values = values, .unit = "1"};
  return solution;
}

MeshEquation::WeakForm Transport::weak_form(const Mesh& mesh, const Sample& problem, std::int64_t member) const
{
  const Evaluation at = at_quadrature_points(mesh);
  const auto dimension = mesh.vertices.size(1);
  /// A field at the quadrature points, [cell, point, component].
  const auto at_points = [&](const Tensor& field) {
    const Tensor own = field.t().index_select(0, mesh.cells.flatten());
    return torch::einsum("pv,cvi->cpi", {at.values, own.view({mesh.cells.size(0), mesh.cells.size(1), -1})});
  };
  Tensor k = torch::ones_like(at.weights);
  if (const Tensor own = values_of(problem, "conductivity", 1, member); own.defined()) k = at_points(own).squeeze(-1);
  const Tensor weighted = at.gradients * (at.weights * k).unsqueeze(-1).unsqueeze(-1);
  WeakForm form;
  form.matrices = torch::einsum("cpvd,cpwd->cvw", {weighted, at.gradients});

  Tensor test = at.values.unsqueeze(0).expand({at.weights.size(0), -1, -1});  // [cell, point, vertex]
  if (const Tensor v = values_of(problem, "velocity", dimension, member); v.defined()) {
    const Tensor velocity = at_points(v);
    const Tensor along = torch::einsum("cpi,cpvi->cpv", {velocity, at.gradients});  // v·∇N
    const Tensor speed = velocity.norm(2, -1);
    // h = 2|v| / Σ |v·∇N|, so that h / 2|v| needs no division by a speed that may be 0 (Tezduyar's length).
    const Tensor travel = 1 / along.abs().sum(-1).clamp_min(1e-300);
    const Tensor peclet = speed.square() * travel / k;
    // coth P − 1/P, by its series where the difference would be rounding.
    const Tensor upwind =
        torch::where(peclet < 1e-2, peclet / 3, 1 / peclet.clamp_min(1e-2).tanh() - 1 / peclet.clamp_min(1e-2));
    const Tensor tau = torch::where(speed > 0, travel * upwind, torch::zeros_like(speed));
    test = test + tau.unsqueeze(-1) * along;
    form.matrices = form.matrices + torch::einsum("cp,cpv,cpw->cvw", {at.weights, test, along});
  }
  if (const Tensor f = values_of(problem, "forcing", 1, member); f.defined())
    form.loads = torch::einsum("cp,cpv->cv", {at.weights * at_points(f).squeeze(-1), test});
  return form;
}

}  // namespace locum::physics
