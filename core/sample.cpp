#include "sample.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "error.hpp"

namespace locum {

std::vector<std::int64_t> Grid::shape() const
{
  std::vector<std::int64_t> points;
  for (const Axis& axis : axes) points.push_back(axis.points);
  return points;
}

Tensor Grid::coordinates(std::size_t axis) const
{
  const Axis& a = axes.at(axis);
  return torch::arange(a.points, torch::kFloat64) * a.spacing + a.origin;
}

Grid Grid::cell_centres(const std::vector<std::int64_t>& cells, const std::vector<double>& lengths)
{
  static const char* const names[] = {"x", "y", "z"};
  if (cells.empty() || cells.size() > 3 || cells.size() != lengths.size())
    throw ShapeError({.doing = "making a grid",
                      .where = "cells",
                      .found = fmt::format("{} cells and {} lengths", cells.size(), lengths.size()),
                      .expected = "1 to 3 of each, as many of one as of the other",
                      .advice = ""});
  Grid grid;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] < 1)
      throw ShapeError({.doing = "making a grid",
                        .where = "cells",
                        .found = fmt::format("{}", fmt::join(cells, ", ")),
                        .expected = "at least 1 an axis",
                        .advice = ""});
    const double h = lengths[i] / static_cast<double>(cells[i]);
    grid.axes.push_back({.name = names[cells.size() - 1 - i], .points = cells[i], .origin = h / 2, .spacing = h});
  }
  return grid;
}

std::vector<std::int64_t> shape_of(const Domain& domain)
{
  struct Shape {
    std::vector<std::int64_t> operator()(const Grid& grid) const { return grid.shape(); }
    std::vector<std::int64_t> operator()(const CurvilinearGrid& grid) const
    {
      auto sizes = grid.positions.sizes().vec();
      sizes.pop_back();
      return sizes;
    }
    std::vector<std::int64_t> operator()(const Mesh& mesh) const { return {mesh.vertices.size(0)}; }
    std::vector<std::int64_t> operator()(const Points& points) const { return {points.positions.size(0)}; }
  };
  return std::visit(Shape{}, domain);
}

std::int64_t Sample::batch() const
{
  if (!fields.empty()) return fields.begin()->second.values.size(0);
  if (!scalars.empty()) return scalars.begin()->second.values.size(0);
  return 0;
}

const Field& Sample::field(const std::string& name) const
{
  if (const auto found = fields.find(name); found != fields.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, field] : fields) names.push_back(known);
  const auto nearest = nearest_name(name, names);
  throw DataError({.doing = "looking up a field",
                   .where = "",
                   .found = fmt::format("no field \"{}\"", name),
                   .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                   .advice = nearest.empty() ? "" : fmt::format("\"{}\"", nearest)});
}

const Grid& Sample::grid() const
{
  if (const Grid* grid = std::get_if<Grid>(&domain)) return *grid;
  throw ShapeError({.doing = "asking for the grid of a sample",
                    .where = "",
                    .found = "another kind of domain",
                    .expected = "fields on a uniform grid",
                    .advice = "interpolate to a grid first"});
}

Sample Sample::members(std::int64_t first, std::int64_t count) const
{
  Sample part{.domain = domain, .fields = {}, .scalars = {}, .time = time};
  for (const auto& [name, field] : fields)
    part.fields[name] = {.values = field.values.narrow(0, first, count), .unit = field.unit};
  for (const auto& [name, scalar] : scalars)
    part.scalars[name] = {.values = scalar.values.narrow(0, first, count), .unit = scalar.unit};
  return part;
}

Sample Sample::to(torch::Dtype type, torch::Device device) const
{
  Sample converted = *this;
  for (auto& [name, field] : converted.fields) field.values = field.values.to(device, type);
  for (auto& [name, scalar] : converted.scalars) scalar.values = scalar.values.to(device, type);
  return converted;
}

void Sample::merge(const Sample& other)
{
  if (batch() != 0 && other.batch() != 0 && batch() != other.batch())
    throw ShapeError({.doing = "merging samples",
                      .where = "",
                      .found = fmt::format("{} members", other.batch()),
                      .expected = fmt::format("{}", batch()),
                      .advice = ""});
  for (const auto& [name, field] : other.fields) fields[name] = field;
  for (const auto& [name, scalar] : other.scalars) scalars[name] = scalar;
}

void Sample::append(const Sample& other)
{
  const auto differ = [](const auto& a, const auto& b) {
    return !std::equal(a.begin(), a.end(), b.begin(), b.end(),
                       [](const auto& x, const auto& y) { return x.first == y.first; });
  };
  if (differ(fields, other.fields) || differ(scalars, other.scalars) || shape_of(domain) != shape_of(other.domain))
    throw ShapeError({.doing = "appending samples",
                      .where = "",
                      .found = "other fields, scalars or grid",
                      .expected = "the same as those before",
                      .advice = ""});
  for (auto& [name, field] : fields) field.values = torch::cat({field.values, other.fields.at(name).values});
  for (auto& [name, scalar] : scalars) scalar.values = torch::cat({scalar.values, other.scalars.at(name).values});
}

Tensor stack_channels(const Sample& sample, const std::vector<std::string>& fields)
{
  std::vector<Tensor> values;
  for (const std::string& name : fields) values.push_back(sample.field(name).values);
  return values.size() == 1 ? values.front() : torch::cat(values, 1);
}

std::vector<Channel> describe_channels(const Sample& sample, const std::vector<std::string>& fields)
{
  std::vector<Channel> channels;
  for (const std::string& name : fields) {
    const Field& field = sample.field(name);
    for (std::int64_t component = 0; component < field.values.size(1); ++component)
      channels.push_back({.field = name, .component = component, .unit = field.unit});
  }
  return channels;
}

std::map<std::string, Field> split_channels(const Tensor& values, const std::vector<Channel>& channels)
{
  if (values.size(1) != static_cast<std::int64_t>(channels.size()))
    throw ShapeError({.doing = "naming channels",
                      .where = "",
                      .found = fmt::format("{} channels", values.size(1)),
                      .expected = fmt::format("{}", channels.size()),
                      .advice = ""});
  std::map<std::string, Field> fields;
  for (std::size_t begin = 0; begin < channels.size();) {
    std::size_t end = begin + 1;
    while (end < channels.size() && channels[end].field == channels[begin].field) ++end;
    const auto first = static_cast<std::int64_t>(begin);
    fields[channels[begin].field] = {.values = values.narrow(1, first, static_cast<std::int64_t>(end) - first),
                                     .unit = channels[begin].unit};
    begin = end;
  }
  return fields;
}

void check_finite(const Sample& sample, const std::string& doing, const std::string& where, std::int64_t first)
{
  for (const auto& [name, field] : sample.fields) {
    const Tensor finite = torch::isfinite(field.values);
    if (finite.all().item<bool>()) continue;
    const Tensor at = finite.logical_not().nonzero()[0];
    const double value =
        field.values.flatten()[finite.flatten().logical_not().nonzero()[0].item<std::int64_t>()].item<double>();
    std::vector<std::int64_t> position;
    for (std::int64_t i = 2; i < at.size(0); ++i) position.push_back(at[i].item<std::int64_t>());
    throw DataError(
        {.doing = doing,
         .where = fmt::format("{}, field {}", where, name),
         .found = fmt::format("{} at sample {}, component {}, position {}", value, first + at[0].item<std::int64_t>(),
                              at[1].item<std::int64_t>(), to_string(position)),
         .expected = fmt::format("finite values ({})", field.unit),
         .advice = "repair or remove the sample, or data.mask = \"missing\" if it marks land"});
  }
}

std::string to_string(torch::IntArrayRef shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

}  // namespace locum
