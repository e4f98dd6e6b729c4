#include "diffusion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>

#include <algorithm>
#include <cmath>

namespace locum::physics {

Diffusion::Diffusion(const std::string& name, const SideOptions& sides) : sides_(name, sides)
{
  if (sides_.given(0) || sides_.given(1) || sides_.given(2) || sides_.given(3)) return;
  throw OptionError({.doing = "setting up equation " + name,
                     .where = "insulated",
                     .found = fmt::format("{}", fmt::join(sides.insulated, ", ")),
                     .expected = "a side of the square with a given value",
                     .advice = "without one, the solution is known but for a constant"});
}

Grid Diffusion::grid(const std::vector<std::int64_t>& cells) const
{
  if (cells.size() != 2 && cells.size() != 3)
    throw OptionError({.doing = fmt::format("making a grid for equation {}", name()),
                       .where = "cells",
                       .found = to_string(cells),
                       .expected = "two or three numbers: cells along (z,) y and x",
                       .advice = "cells = [64, 64]"});
  return Grid::cell_centres(cells, std::vector<double>(cells.size(), 1));
}

/// @throws ShapeError  unless the grid is equal cells of the unit square or cube (to float32, in which files may store
///                     it).
static void require_unit_cells(const std::string& equation, const Grid& grid)
{
  std::string axes;
  bool as_expected = grid.axes.size() == 2 || grid.axes.size() == 3;
  for (const Axis& axis : grid.axes) {
    const double cell = 1.0 / static_cast<double>(axis.points);
    as_expected = as_expected && !axis.periodic && std::abs(axis.spacing - cell) < 1e-5 * cell &&
                  std::abs(axis.origin - cell / 2) < 1e-5;
    axes += fmt::format("{}{}: {} points from {} by {}", axes.empty() ? "" : ", ", axis.name, axis.points, axis.origin,
                        axis.spacing);
  }
  if (!as_expected)
    throw ShapeError({.doing = fmt::format("reading a problem of equation {}", equation),
                      .where = "its grid",
                      .found = axes,
                      .expected = "centres of equal cells of the unit square or cube, along (z,) y and x",
                      .advice = "Diffusion::grid() makes one"});
}

static void require_shape(const std::string& equation, const char* name, const Tensor& values, torch::IntArrayRef shape)
{
  if (values.sizes() != shape)
    throw ShapeError(
        {.doing = fmt::format("reading a problem of equation {}", equation),
         .where = fmt::format("field {}", name),
         .found = to_string(values.sizes()),
         .expected = fmt::format("{}, [batch, 1, {}y, x]", to_string(shape), shape.size() > 4 ? "z, " : ""),
         .advice = ""});
}

/// [batch, components, (z,) y, x] on the problem's grid.
static std::vector<std::int64_t> shape_with(const Sample& problem, std::int64_t components)
{
  std::vector<std::int64_t> shape = {problem.batch(), components};
  for (const Axis& axis : problem.grid().axes) shape.push_back(axis.points);
  return shape;
}

Tensor Diffusion::permeability(const Sample& problem) const
{
  const Grid& grid = problem.grid();
  require_unit_cells(name(), grid);
  const auto axes = static_cast<std::int64_t>(grid.axes.size());
  const auto given = inputs();
  const bool needed = std::find(given.begin(), given.end(), "permeability") != given.end();
  if (!needed && !problem.fields.contains("permeability"))
    return torch::ones(shape_with(problem, axes), torch::kFloat64);
  const Tensor& a = problem.field("permeability").values;
  if (a.dim() > 1 && a.size(1) == axes) {
    require_shape(name(), "permeability", a, shape_with(problem, axes));
    return a;
  }
  require_shape(name(), "permeability", a, shape_with(problem, 1));
  return a.expand(shape_with(problem, axes));
}

Tensor Diffusion::own_forcing(const Sample& problem) const
{
  require_unit_cells(name(), problem.grid());
  const auto own = problem.fields.find("forcing");
  if (own == problem.fields.end())
    return torch::full(shape_with(problem, 1), uniform_forcing(), permeability(problem).dtype());
  require_shape(name(), "forcing", own->second.values, shape_with(problem, 1));
  return own->second.values;
}

namespace {

/// The values on the two sides across an axis; nothing where it is insulated.
struct Ends {
  bool first_given, last_given;
  double first, last;
};

/// ∂(a ∂u) along `axis`, whose cells fill (0, 1).
Tensor divergence_of_flux(const Tensor& a, const Tensor& u, std::int64_t axis, const Ends& ends)
{
  const auto n = a.size(axis);
  const double h = 1.0 / static_cast<double>(n);
  const Tensor left = a.narrow(axis, 0, n - 1), right = a.narrow(axis, 1, n - 1);
  const Tensor inside = 2 * left * right / (left + right) * u.diff(1, axis) / h;
  const Tensor nearest = u.narrow(axis, 0, 1), farthest = u.narrow(axis, n - 1, 1);
  const Tensor first =
      ends.first_given ? a.narrow(axis, 0, 1) * (nearest - ends.first) / (h / 2) : torch::zeros_like(nearest);
  const Tensor last =
      ends.last_given ? a.narrow(axis, n - 1, 1) * (ends.last - farthest) / (h / 2) : torch::zeros_like(farthest);
  return torch::cat({first, inside, last}, axis).diff(1, axis) / h;
}

}  // namespace

Tensor Diffusion::residual(const Sample& problem, const Sample& solution) const
{
  const Tensor a = permeability(problem);
  const Tensor& u = solution.field("pressure").values;
  Tensor left = own_forcing(problem);
  require_shape(name(), "pressure", u, left.sizes());
  for (std::int64_t i = 0; i < a.size(1); ++i) {  // x, y, z: from the last axis on
    const auto side = static_cast<std::size_t>(2 * i);
    const Ends ends{sides_.given(side), sides_.given(side + 1), sides_.value(side), sides_.value(side + 1)};
    left = left + divergence_of_flux(a.narrow(1, i, 1), u, -1 - i, ends);
  }
  return left;
}

Tensor Diffusion::forcing(const Sample& problem) const
{
  const Tensor f = own_forcing(problem);
  bool all_zero = true;
  for (std::size_t side = 0; side < Sides::names.size(); ++side) all_zero = all_zero && sides_.value(side) == 0;
  if (all_zero) return f;
  Sample at_rest{.domain = problem.domain, .fields = {}, .scalars = {}, .time = 0};
  at_rest.fields["pressure"].values = torch::zeros_like(f);
  return residual(problem, at_rest);
}

void Diffusion::check(const Sample& problem) const
{
  const Tensor a = permeability(problem);
  Sample given{.domain = problem.domain, .fields = {}, .scalars = {}, .time = 0};
  given.fields["forcing"].values = own_forcing(problem);
  given.fields["permeability"].values = a;
  check_finite(given, fmt::format("reading a problem of equation {}", name()), "problem");

  const Tensor bad = (a <= 0).nonzero();
  if (bad.size(0) == 0) return;
  std::vector<std::int64_t> place;
  Tensor value = a;
  for (std::int64_t axis = 0; axis < bad.size(1); ++axis) {
    place.push_back(bad[0][axis].item<std::int64_t>());
    value = value[place.back()];
  }
  const std::vector<std::int64_t> point(place.begin() + 2, place.end());
  throw DataError({.doing = fmt::format("reading a problem of equation {}", name()),
                   .where = "problem, field permeability",
                   .found = fmt::format("{} at sample {}, [{}y, x] = {}", value.item<double>(), place[0],
                                        point.size() > 2 ? "z, " : "", to_string(point)),
                   .expected = "positive values (1)",
                   .advice = "give the logarithm's exponential, if the field is a logarithm"});
}

}  // namespace locum::physics
