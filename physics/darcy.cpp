#include "darcy.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/core/random.hpp>

#include <cmath>
#include <numbers>

#include "requirements.hpp"

namespace locum::physics {

Darcy::Darcy(DarcyOptions options) : options_(options), field_(options.tau, options.alpha)
{
  require_positive(name(), {{"low", options.low}, {"high", options.high}, {"deviation", options.deviation}});
}

Grid Darcy::grid(const std::vector<std::int64_t>& cells) const
{
  if (cells.size() != 2)
    throw OptionError({.doing = "making a grid for Darcy's equation",
                       .where = "cells",
                       .found = to_string(cells),
                       .expected = "two numbers, cells along y and x",
                       .advice = "cells = [64, 64]"});
  return Grid::cell_centres(cells, {1, 1});
}

Sample Darcy::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  std::vector<Tensor> permeabilities;
  for (std::int64_t i = first; i < first + count; ++i) {
    RandomStream random(seed, "permeability", static_cast<std::uint64_t>(i));
    const Tensor g = GaussianRandomField::evaluate(field_.draw(random), grid);
    if (options_.permeability == Permeability::lognormal)
      permeabilities.push_back((g * (options_.deviation / field_.standard_deviation())).exp());
    else permeabilities.push_back(torch::where(g < 0, torch::full_like(g, options_.low), options_.high));
  }
  Sample problems{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  problems.fields["permeability"] = {.values = torch::stack(permeabilities).unsqueeze(1), .unit = "1"};
  return problems;
}

/// @throws ShapeError  unless the grid is equal cells of the unit square (to float32, in which files may store it).
static void require_unit_square(const Grid& grid)
{
  std::string axes;
  bool as_expected = grid.axes.size() == 2;
  for (const Axis& axis : grid.axes) {
    const double cell = 1.0 / static_cast<double>(axis.points);
    as_expected = as_expected && !axis.periodic && std::abs(axis.spacing - cell) < 1e-5 * cell &&
                  std::abs(axis.origin - cell / 2) < 1e-5;
    axes += fmt::format("{}{}: {} points from {} by {}", axes.empty() ? "" : ", ", axis.name, axis.points, axis.origin,
                        axis.spacing);
  }
  if (!as_expected)
    throw ShapeError({.doing = "reading a problem of Darcy's equation",
                      .where = "its grid",
                      .found = axes,
                      .expected = "centres of equal cells of the unit square, along y and x",
                      .advice = "Darcy::grid() makes one"});
}

static void require_shape(const char* name, const Tensor& values, torch::IntArrayRef shape)
{
  if (values.sizes() != shape)
    throw ShapeError({.doing = "reading a problem of Darcy's equation",
                      .where = fmt::format("field {}", name),
                      .found = to_string(values.sizes()),
                      .expected = fmt::format("{}, [batch, 1, y, x]", to_string(shape)),
                      .advice = ""});
}

Tensor Darcy::forcing(const Sample& problem) const
{
  const Grid& grid = problem.grid();
  require_unit_square(grid);
  const Tensor& a = problem.field("permeability").values;
  require_shape("permeability", a, {problem.batch(), 1, grid.axes[0].points, grid.axes[1].points});
  const auto own = problem.fields.find("forcing");
  if (own == problem.fields.end()) return torch::full_like(a, options_.forcing);
  require_shape("forcing", own->second.values, a.sizes());
  return own->second.values;
}

/// ∂(a ∂u) along `axis`, whose cells fill (0, 1), with u = 0 at both ends.
static Tensor divergence_of_flux(const Tensor& a, const Tensor& u, std::int64_t axis)
{
  const auto n = a.size(axis);
  const double h = 1.0 / static_cast<double>(n);
  const Tensor left = a.narrow(axis, 0, n - 1), right = a.narrow(axis, 1, n - 1);
  const Tensor inside = 2 * left * right / (left + right) * u.diff(1, axis) / h;
  const Tensor first = a.narrow(axis, 0, 1) * u.narrow(axis, 0, 1) / (h / 2);
  const Tensor last = -a.narrow(axis, n - 1, 1) * u.narrow(axis, n - 1, 1) / (h / 2);
  return torch::cat({first, inside, last}, axis).diff(1, axis) / h;
}

Tensor Darcy::residual(const Sample& problem, const Sample& solution) const
{
  const Tensor f = forcing(problem);
  const Tensor& a = problem.field("permeability").values;
  const Tensor& u = solution.field("pressure").values;
  require_shape("pressure", u, a.sizes());
  return f + divergence_of_flux(a, u, -2) + divergence_of_flux(a, u, -1);
}

void Darcy::check(const Sample& problem) const
{
  Sample given{.domain = problem.domain, .fields = {}, .scalars = {}, .time = 0};
  given.fields["forcing"].values = forcing(problem);
  given.fields["permeability"] = problem.field("permeability");
  check_finite(given, "reading a problem of Darcy's equation", "problem");

  const Tensor& a = given.field("permeability").values;
  const Tensor bad = (a <= 0).nonzero();
  if (bad.size(0) == 0) return;
  const auto at = [&](std::int64_t axis) { return bad[0][axis].item<std::int64_t>(); };
  throw DataError({.doing = "reading a problem of Darcy's equation",
                   .where = "problem, field permeability",
                   .found = fmt::format("{} at sample {}, [y, x] = [{}, {}]", a[at(0)][0][at(2)][at(3)].item<double>(),
                                        at(0), at(2), at(3)),
                   .expected = "positive values (1)",
                   .advice = "give the logarithm's exponential, if the field is a logarithm"});
}

Sample darcy_manufactured(const Grid& grid)
{
  const double pi = std::numbers::pi;
  const Tensor y = grid.coordinates(0).unsqueeze(1), x = grid.coordinates(1);
  const Tensor a = 1 + x * y;
  const Tensor u = (pi * x).sin() * (pi * y).sin();
  const Tensor u_x = pi * (pi * x).cos() * (pi * y).sin();
  const Tensor u_y = pi * (pi * x).sin() * (pi * y).cos();
  const Tensor f = 2 * pi * pi * a * u - y * u_x - x * u_y;  // −a Δu − ∇a·∇u

  Sample exact{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  exact.fields["permeability"] = {.values = a.unsqueeze(0).unsqueeze(0), .unit = "1"};
  exact.fields["forcing"] = {.values = f.unsqueeze(0).unsqueeze(0), .unit = "1"};
  exact.fields["pressure"] = {.values = u.unsqueeze(0).unsqueeze(0), .unit = "1"};
  return exact;
}

}  // namespace locum::physics
