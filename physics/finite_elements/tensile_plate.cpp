#include "tensile_plate.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include "../requirements.hpp"

namespace locum::physics {

static ElasticityOptions on_meshes(const TensilePlateOptions& options)
{
  ElasticityOptions own;
  own.youngs_modulus = options.youngs_modulus;
  own.poisson_ratio = options.poisson_ratio;
  own.tension = options.tension;
  own.specimen = options.specimen;
  return own;
}

TensilePlate::TensilePlate(TensilePlateOptions options) : options_(std::move(options)), elasticity_(on_meshes(options_))
{
  require_positive(name(), {{"tension", options_.tension}});
  if (options_.across < 2)
    throw OptionError({.doing = "setting up equation tensile_plate",
                       .where = "across",
                       .found = fmt::format("{}", options_.across),
                       .expected = "at least 2",
                       .advice = "across = 10"});
}

Grid TensilePlate::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 2);
  const auto& specimen = options_.specimen;
  Grid grid = Grid::cell_centres(cells, {specimen.grip_width, specimen.length});
  for (Axis& axis : grid.axes) {
    axis.origin -= axis.spacing * static_cast<double>(axis.points) / 2;
    axis.unit = "m";
  }
  return grid;
}

Sample TensilePlate::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  const auto positions = torch::meshgrid({grid.coordinates(0), grid.coordinates(1)}, "ij");
  const Tensor points = torch::stack({positions[1].flatten(), positions[0].flatten()}, 1);
  std::vector<Tensor> distances;
  std::map<std::string, std::vector<Tensor>> numbers;
  for (std::int64_t i = first; i < first + count; ++i) {
    const Specimen specimen = draw_specimen(options_.specimen, seed, i);
    distances.push_back(signed_distance(specimen, points).view(positions[0].sizes()));
    for (const auto& [name, scalar] : scalars_of(specimen)) numbers[name].push_back(scalar.values);
  }
  Sample problems{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  const Tensor distance = torch::stack(distances).unsqueeze(1);
  problems.fields["signed_distance"] = {.values = distance, .unit = "m"};
  problems.fields["mask"] = {.values = (distance < 0).to(torch::kFloat64), .unit = "1"};
  for (const auto& [name, values] : numbers) problems.scalars[name] = {.values = torch::cat(values), .unit = "m"};
  return problems;
}

namespace {

/// The mean and the differences along y and x over every square of four neighbouring points: [..., y − 1, x − 1].
Tensor mean_of_four(const Tensor& v)
{
  const auto ny = v.size(-2), nx = v.size(-1);
  const Tensor rows = v.narrow(-2, 0, ny - 1) + v.narrow(-2, 1, ny - 1);
  return (rows.narrow(-1, 0, nx - 1) + rows.narrow(-1, 1, nx - 1)) / 4;
}
Tensor difference_y(const Tensor& v, double spacing)
{
  const Tensor d = v.diff(1, -2);
  return (d.narrow(-1, 0, v.size(-1) - 1) + d.narrow(-1, 1, v.size(-1) - 1)) / (2 * spacing);
}
Tensor difference_x(const Tensor& v, double spacing)
{
  const Tensor d = v.diff(1, -1);
  return (d.narrow(-2, 0, v.size(-2) - 1) + d.narrow(-2, 1, v.size(-2) - 1)) / (2 * spacing);
}

/// Points all of whose eight neighbours lie in the material, bool [batch, 1, y, x].
Tensor within(const Sample& problem)
{
  const Tensor& mask = problem.field("mask").values;
  if (mask.dim() != 4 || mask.size(2) < 3 || mask.size(3) < 3 || problem.grid().axes.size() != 2)
    throw ShapeError({.doing = "reading a problem of a tensile plate",
                      .where = "field mask",
                      .found = to_string(mask.sizes()),
                      .expected = "[batch, 1, y, x] on a grid of at least 3 × 3 points",
                      .advice = ""});
  const Tensor inner = mean_of_four(mean_of_four(mask.to(torch::kFloat64))) > 1 - 1e-6;
  return torch::constant_pad_nd(inner, {1, 1, 1, 1}, false);
}

}  // namespace

Tensor TensilePlate::residual(const Sample& problem, const Sample& solution) const
{
  const Tensor valid = within(problem);
  const Grid& grid = problem.grid();
  const double hy = grid.axes[0].spacing, hx = grid.axes[1].spacing;
  // Outside there may be NaN, which must not reach gradients either.
  const Tensor material = problem.field("mask").values > 0.5;
  const Tensor given = solution.field("displacement").values;
  const Tensor u = torch::where(material, given, torch::zeros_like(given));
  const Tensor gradients = torch::stack({difference_x(u, hx), difference_y(u, hy)}, -1).permute({0, 2, 3, 1, 4});
  const Tensor modulus = torch::full({1}, options_.youngs_modulus, u.options());
  const Tensor stress = elasticity_.stress(gradients, modulus);  // [batch, y − 1, x − 1, 3, 3]
  const Tensor along_x = stress.select(-1, 0).slice(-1, 0, 2).permute({0, 3, 1, 2});
  const Tensor along_y = stress.select(-1, 1).slice(-1, 0, 2).permute({0, 3, 1, 2});
  const Tensor force = torch::constant_pad_nd(-(difference_x(along_x, hx) + difference_y(along_y, hy)), {1, 1, 1, 1});
  return torch::where(valid, force, torch::zeros_like(force));
}

Tensor TensilePlate::forcing(const Sample& problem) const
{
  const Tensor valid = within(problem).to(problem.field("mask").values.scalar_type());
  return (valid * (options_.tension / problem.grid().axes[1].spacing)).expand({-1, 2, -1, -1});
}

}  // namespace locum::physics
