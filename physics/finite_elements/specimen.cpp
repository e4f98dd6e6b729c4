#include "specimen.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/core/random.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../requirements.hpp"
#include "shapes.hpp"

namespace locum::physics {

namespace {

constexpr double room = 1.15;  // of the block around a hole, in radii of the hole

/// How far the fillets reach along x.
double fillet_length(const Specimen& s)
{
  const double step = (s.grip_width - s.gauge_width) / 2;
  return step <= 0 ? 0 : std::sqrt(step * (2 * s.fillet - step));
}

/// Half the width at x.
Tensor half_width(const Specimen& s, const Tensor& x)
{
  const Tensor beyond = (x.abs() - s.gauge_length / 2).clamp(0, fillet_length(s));
  return s.gauge_width / 2 + s.fillet - (s.fillet * s.fillet - beyond.square()).clamp_min(0).sqrt();
}

void require_fit(const Specimen& s)
{
  const auto require = [](bool good, const char* what, double found, const std::string& expected) {
    if (good && std::isfinite(found)) return;
    throw ShapeError({.doing = "laying out a specimen",
                      .where = what,
                      .found = fmt::format("{:.4g}", found),
                      .expected = expected,
                      .advice = ""});
  };
  require(s.length > 0, "length", s.length, "above 0");
  require(s.gauge_width > 0, "gauge_width", s.gauge_width, "above 0");
  require(s.grip_width >= s.gauge_width, "grip_width", s.grip_width,
          fmt::format("at least {:.4g}, the gauge_width", s.gauge_width));
  const double step = (s.grip_width - s.gauge_width) / 2;
  require(s.fillet >= step, "fillet", s.fillet,
          fmt::format("at least {:.4g}, half of what the widths differ by", step));
  require(s.gauge_length > 0 && s.gauge_length / 2 + fillet_length(s) < s.length / 2, "gauge_length", s.gauge_length,
          fmt::format("below {:.4g}, what the fillets leave of the length", s.length - 2 * fillet_length(s)));
  require((s.radius_x > 0) == (s.radius_y > 0) && s.radius_x >= 0, "radius_x", s.radius_x,
          "above 0 with radius_y, or both 0");
  if (s.radius_x == 0) return;
  require(std::abs(s.hole_x) + room * s.radius_x <= s.gauge_length / 2, "hole_x", s.hole_x,
          "a hole in the narrow part");
  require(std::abs(s.hole_y) + room * s.radius_y <= s.gauge_width / 2, "hole_y", s.hole_y, "a hole within the width");
}

/// Where columns of vertices stand between two x: `spacing` apart or a little less, along fillets by their angle.
void add_columns(std::vector<double>& columns, const Specimen& s, double from, double to, double spacing)
{
  const double gauge = s.gauge_length / 2, reach = fillet_length(s);
  const double middle = std::abs(from + to) / 2;
  const bool fillet = reach > 0 && middle > gauge && middle < gauge + reach;
  const double angle = fillet ? std::asin(std::min(1.0, reach / s.fillet)) : 0;
  const double length = fillet ? angle * s.fillet : to - from;
  const auto count =
      std::max<std::int64_t>(fillet ? 3 : 1, static_cast<std::int64_t>(std::ceil(length / spacing - 1e-9)));
  for (std::int64_t i = columns.empty() ? 0 : 1; i <= count; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(count);
    if (i == count) columns.push_back(to);
    else if (!fillet) columns.push_back(from + part * (to - from));
    else if (from > 0) columns.push_back(gauge + s.fillet * std::sin(part * angle));
    else columns.push_back(-gauge - s.fillet * std::sin((1 - part) * angle));
  }
}

/// Columns between two outlines, [column, across + 1, 2].
Tensor columns_patch(const Specimen& s, double from, double to, std::int64_t across)
{
  const double gauge = s.gauge_length / 2, ends = gauge + fillet_length(s);
  const double rounding = 1e-9 * s.length;  // the rings' rectangle may end where the narrow part does
  std::vector<double> stops = {from};
  for (const double x : {-ends, -gauge, gauge, ends})
    if (x > stops.back() + rounding && x < to - rounding) stops.push_back(x);
  stops.push_back(to);
  std::vector<double> columns;
  for (std::size_t i = 0; i + 1 < stops.size(); ++i)
    add_columns(columns, s, stops[i], stops[i + 1], s.gauge_width / static_cast<double>(across));
  const Tensor x = torch::tensor(columns, torch::kFloat64);
  const Tensor parts = torch::arange(across + 1, torch::kFloat64) * (2.0 / static_cast<double>(across)) - 1;
  const Tensor y = half_width(s, x).unsqueeze(1) * parts;
  return torch::stack({x.unsqueeze(1).expand_as(y), y}, -1);
}

/// Rings around the hole out to a rectangle of the narrow part, [around + 1, rings + 1, 2].
/// @param half  length of the rectangle, to both sides of the hole's centre
Tensor ring_patch(const Specimen& s, double half, std::int64_t across)
{
  const double spacing = s.gauge_width / static_cast<double>(across);
  const auto along = std::max<std::int64_t>(2, static_cast<std::int64_t>(std::ceil(2 * half / spacing - 1e-9)));
  const Tensor up =
      (torch::arange(across + 1, torch::kFloat64) * (2.0 / static_cast<double>(across)) - 1) * (s.gauge_width / 2);
  const Tensor right =
      (torch::arange(along + 1, torch::kFloat64) * (2.0 / static_cast<double>(along)) - 1) * half + s.hole_x;
  const auto side = [](const Tensor& x, const Tensor& y) { return torch::stack(torch::broadcast_tensors({x, y}), -1); };
  const auto at = [](double value) { return torch::full({1}, value, torch::kFloat64); };
  const Tensor outer =
      torch::cat({side(at(s.hole_x + half), up), side(right.flip(0), at(s.gauge_width / 2)).slice(0, 1),
                  side(at(s.hole_x - half), up.flip(0)).slice(0, 1), side(right, at(-s.gauge_width / 2)).slice(0, 1)});
  const Tensor centre = torch::tensor({s.hole_x, s.hole_y}, torch::kFloat64);
  const Tensor radii = torch::tensor({s.radius_x, s.radius_y}, torch::kFloat64);
  // The ellipse's own angle is that of the outer point: vertices are dense where it is sharp.
  const Tensor rays = outer - centre;
  const Tensor inner = radii * rays / rays.norm(2, 1, true);
  const Tensor stretch = rays.norm(2, 1, true) / inner.norm(2, 1, true);
  // Radii in geometric progression keep the cells' shape.
  const auto around = static_cast<double>(outer.size(0) - 1);
  const auto rings = std::max<std::int64_t>(
      3, static_cast<std::int64_t>(std::ceil(around / (2 * std::numbers::pi) * stretch.log().mean().item<double>())));
  const Tensor part = torch::arange(rings + 1, torch::kFloat64) / static_cast<double>(rings);
  const Tensor outwards = (stretch.pow(part) - 1) / (stretch - 1);  // [around, ring], from 0 to 1
  return centre + inner.unsqueeze(1) + (rays - inner).unsqueeze(1) * outwards.unsqueeze(-1);
}

/// Distance from points to the sides of a closed polygon, [point].
Tensor distance_to(const Tensor& points, const Tensor& polygon)
{
  const Tensor from = polygon, side = polygon.roll(-1, 0) - polygon;
  const Tensor length = side.square().sum(1).clamp_min(1e-300);
  const Tensor offset = points.unsqueeze(1) - from;  // [point, side, 2]
  const Tensor along = ((offset * side).sum(-1) / length).clamp(0, 1);
  return std::get<0>((offset - along.unsqueeze(-1) * side).square().sum(-1).min(1)).sqrt();
}

}  // namespace

void SpecimenOptions::check(const std::string& equation) const
{
  require_positive(equation, {{"length", length}, {"grip_width", grip_width}});
  require_not_negative(equation, {{"hole_offset", hole_offset}});
  const auto refuse = [&](const char* option, const std::string& found, const std::string& expected,
                          const std::string& advice) {
    throw OptionError({.doing = fmt::format("setting up equation {}", equation),
                       .where = option,
                       .found = found,
                       .expected = expected,
                       .advice = advice});
  };
  const auto require_range = [&](const char* option, const std::vector<double>& range, double most,
                                 const char* advice) {
    const bool good = range.size() == 2 && range[0] > 0 && range[0] <= range[1] && range[1] <= most;
    if (!good)
      refuse(option,
             to_string(torch::IntArrayRef{static_cast<std::int64_t>(range.size())}) + " numbers, or out of range",
             fmt::format("two numbers above 0 and at most {:g}, the smaller first", most), advice);
  };
  require_range("gauge_length", gauge_length, 1, "gauge_length = [0.45, 0.6]");
  require_range("gauge_width", gauge_width, 1, "gauge_width = [0.6, 1.0]");
  require_range("hole_radius", hole_radius, 0.43, "hole_radius = [0.1, 0.3]");
  const double reach = hole_offset + room * hole_radius[1];
  if (reach > 0.5)
    refuse("hole_offset", fmt::format("{}, and hole_radius up to {}", hole_offset, hole_radius[1]),
           fmt::format("hole_offset + {} hole_radius at most 0.5, half the width", room), "hole_offset = 0.1");
  // The widest hole in the shortest narrow part, and the longest narrow part with the longest fillets.
  if (reach * gauge_width[1] * grip_width > gauge_length[0] * length / 2)
    refuse("gauge_length", fmt::format("{} of {} m", gauge_length[0], length), "a narrow part longer than its holes",
           "more of length or gauge_length, or smaller holes");
  const double step = (1 - gauge_width[0]) * grip_width / 2;
  if (gauge_length[1] * length / 2 + 1.5 * step >= length / 2)  // fillets of radius 1.25 steps reach √1.5 of them
    refuse("gauge_length", fmt::format("{} of {} m", gauge_length[1], length), "room for the fillets beside it",
           "less of gauge_length, or a larger gauge_width");
}

Specimen draw_specimen(const SpecimenOptions& options, std::uint64_t seed, std::int64_t i)
{
  const Tensor u = spread_point(options.spread, seed, "specimen", i, 6);
  const auto between = [&](std::int64_t which, double low, double high) {
    return low + (high - low) * u[which].item<double>();
  };
  Specimen s;
  s.length = options.length;
  s.grip_width = options.grip_width;
  s.gauge_length = options.length * between(0, options.gauge_length[0], options.gauge_length[1]);
  s.gauge_width = options.grip_width * between(1, options.gauge_width[0], options.gauge_width[1]);
  s.fillet = std::max(1.25 * (s.grip_width - s.gauge_width) / 2, 1e-3 * s.grip_width);
  s.radius_x = s.gauge_width * between(2, options.hole_radius[0], options.hole_radius[1]);
  s.radius_y = s.gauge_width * between(3, options.hole_radius[0], options.hole_radius[1]);
  s.hole_x = s.gauge_width * between(4, -options.hole_offset, options.hole_offset);
  s.hole_y = s.gauge_width * between(5, -options.hole_offset, options.hole_offset);
  return s;
}

/// The members of a specimen under the names of its scalars.
template <class Visitor>
static void visit_numbers(Specimen& s, Visitor&& number)
{
  number("length", s.length);
  number("grip_width", s.grip_width);
  number("gauge_length", s.gauge_length);
  number("gauge_width", s.gauge_width);
  number("fillet", s.fillet);
  number("hole_x", s.hole_x);
  number("hole_y", s.hole_y);
  number("radius_x", s.radius_x);
  number("radius_y", s.radius_y);
}

std::map<std::string, Scalar> scalars_of(const Specimen& specimen)
{
  std::map<std::string, Scalar> scalars;
  Specimen copy = specimen;
  visit_numbers(copy, [&](const char* name, double value) {
    scalars[name] = {.values = torch::full({1}, value, torch::kFloat64), .unit = "m"};
  });
  return scalars;
}

Specimen specimen_of(const Sample& problem, std::int64_t member)
{
  Specimen specimen;
  visit_numbers(specimen, [&](const char* name, double& value) {
    const auto found = problem.scalars.find(name);
    if (found == problem.scalars.end())
      throw DataError({.doing = "reading a specimen",
                       .where = "",
                       .found = fmt::format("no scalar \"{}\"", name),
                       .expected = "the numbers of its outline",
                       .advice = "a dataset that `locum generate` made"});
    value = found->second.values[member].to(torch::kFloat64).item<double>();
  });
  return specimen;
}

Mesh mesh_of_specimen(const Specimen& s, std::int64_t across, bool quadratic_cells)
{
  require_fit(s);
  if (across < 2)
    throw ShapeError({.doing = "laying out a specimen",
                      .where = "cells across",
                      .found = fmt::format("{}", across),
                      .expected = "at least 2",
                      .advice = ""});
  const double end = s.length / 2;
  const bool hole = s.radius_x > 0;
  std::vector<Tensor> patches;
  if (!hole) {
    patches.push_back(columns_patch(s, -end, end, across));
  } else {
    // The rings' rectangle is about a square, but stays in the narrow part.
    const double half =
        std::min(std::max(s.gauge_width / 2, room * s.radius_x), s.gauge_length / 2 - std::abs(s.hole_x));
    patches = {columns_patch(s, -end, s.hole_x - half, across), ring_patch(s, half, across),
               columns_patch(s, s.hole_x + half, end, across)};
  }
  Mesh mesh = mesh_of_patches(patches);
  const double tolerance = 1e-7 * s.length;
  const auto on_hole = [&](const Tensor& p) {
    const Tensor away =
        torch::stack({(p.select(1, 0) - s.hole_x) / s.radius_x, (p.select(1, 1) - s.hole_y) / s.radius_y});
    return (away.norm(2, 0) - 1).abs() < 1e-6;
  };
  std::vector<std::pair<std::string, std::function<Tensor(const Tensor&)>>> names = {
      {"left", [&](const Tensor& p) { return (p.select(1, 0) + end).abs() < tolerance; }},
      {"right", [&](const Tensor& p) { return (p.select(1, 0) - end).abs() < tolerance; }}};
  if (hole) names.emplace_back("hole", on_hole);
  name_boundaries(mesh, names, "sides");
  if (!quadratic_cells) return mesh;

  const auto corners = mesh.vertices.size(0);
  mesh = quadratic(mesh);
  const auto move_middles = [&](const std::string& boundary, const std::function<Tensor(const Tensor&)>& onto) {
    if (!mesh.boundaries.contains(boundary)) return;
    const Tensor middles = mesh.boundaries.at(boundary).select(1, 2);
    TORCH_INTERNAL_ASSERT(middles.min().item<std::int64_t>() >= corners);
    mesh.vertices.index_copy_(0, middles, onto(mesh.vertices.index_select(0, middles)));
  };
  const Tensor centre = torch::tensor({s.hole_x, s.hole_y}, torch::kFloat64);
  const Tensor radii = torch::tensor({s.radius_x, s.radius_y}, torch::kFloat64);
  move_middles("hole",
               [&](const Tensor& p) { return centre + (p - centre) / ((p - centre) / radii).norm(2, 1, true); });
  move_middles("sides", [&](const Tensor& p) {
    const Tensor x = p.select(1, 0);
    return torch::stack({x, half_width(s, x) * p.select(1, 1).sign()}, 1);
  });
  return mesh;
}

Tensor signed_distance(const Specimen& s, const Tensor& points)
{
  const Tensor edge = columns_patch(s, -s.length / 2, s.length / 2, 64);  // its first and last rows are the outline
  const Tensor outline = torch::cat({edge.select(1, 0), edge.select(1, edge.size(1) - 1).flip(0)});
  const Tensor p = points.to(torch::kFloat64), x = p.select(1, 0), y = p.select(1, 1);
  Tensor distance = distance_to(p, outline);
  Tensor inside = (x.abs() < s.length / 2).logical_and(y.abs() < half_width(s, x));
  if (s.radius_x > 0) {
    const Tensor angle = torch::arange(128, torch::kFloat64) * (2 * std::numbers::pi / 128);
    const Tensor hole = torch::stack({s.hole_x + s.radius_x * angle.cos(), s.hole_y + s.radius_y * angle.sin()}, 1);
    distance = torch::minimum(distance, distance_to(p, hole));
    inside = inside.logical_and(((x - s.hole_x) / s.radius_x).square() + ((y - s.hole_y) / s.radius_y).square() > 1);
  }
  return torch::where(inside, -distance, distance);
}

}  // namespace locum::physics
