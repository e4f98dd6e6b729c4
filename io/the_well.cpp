#include "the_well.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>

namespace locum::io {

bool is_the_well(const hdf5::FileHandle& file, const hdf5::Task& task)
{
  return hdf5::has_child(file.get(), "t0_fields", task) && hdf5::has_child(file.get(), "dimensions", task);
}

/// One boolean attribute, or what holds where it is missing.
static bool flag(const hdf5::ObjectHandle& object, const std::string& name, bool otherwise, const hdf5::Task& task)
{
  const auto values = hdf5::read_numbers(object.get(), name, task);
  return values && !values->empty() ? values->front() != 0 : otherwise;
}

static std::vector<std::string> required_names(const hdf5::ObjectHandle& group, const std::string& attribute,
                                               const hdf5::Task& task)
{
  if (auto names = hdf5::read_strings(group.get(), attribute, task)) return *names;
  throw DataError({.doing = task.doing,
                   .where = task.where,
                   .found = fmt::format("no attribute {}", attribute),
                   .expected = "a list of names, as The Well's rules say",
                   .advice = "adding it with h5py"});
}

TheWell::TheWell(const std::filesystem::path& path, hdf5::FileHandle file, const hdf5::Task& task)
    : Dataset(path), file_(std::move(file))
{
  const auto trajectories = hdf5::read_numbers(file_.get(), "n_trajectories", task);
  if (!trajectories || trajectories->size() != 1)
    throw DataError({.doing = task.doing,
                     .where = task.where,
                     .found = "no attribute n_trajectories",
                     .expected = "the number of samples, as The Well's rules say",
                     .advice = "adding it with h5py"});
  size_ = static_cast<std::int64_t>(trajectories->front());

  const auto dimensions = hdf5::open_child(file_.get(), "dimensions", task);
  const auto place = hdf5::at(task, "dimensions");
  dimensions_ = required_names(dimensions, "spatial_dims", place);
  if (dimensions_.empty() || dimensions_.size() > 3)
    throw DataError({.doing = task.doing,
                     .where = place.where,
                     .found = fmt::format("spatial_dims [{}]", fmt::join(dimensions_, ", ")),
                     .expected = "one to three dimensions of space",
                     .advice = ""});
  times_ = hdf5::read(hdf5::open_child(dimensions.get(), "time", place), place).to(torch::kFloat64);
  if (times_.dim() < 1 || times_.dim() > 2 || times_.size(-1) == 0)
    throw DataError({.doing = task.doing,
                     .where = place.where + "/time",
                     .found = fmt::format("times {}", to_string(times_.sizes())),
                     .expected = "[step] or [sample, step]",
                     .advice = ""});
  domain_ = read_domain(task);

  for (std::size_t order = 0; order < 3; ++order) {
    const std::string group = fmt::format("t{}_fields", order);
    if (!hdf5::has_child(file_.get(), group, task)) continue;
    const auto found = describe(group, order, task);
    fields_.insert(fields_.end(), found.begin(), found.end());
  }
  if (hdf5::has_child(file_.get(), "scalars", task)) scalars_ = describe("scalars", /*order=*/0, task);
}

std::vector<TheWell::Stored> TheWell::describe(const std::string& group, std::size_t order,
                                               const hdf5::Task& task) const
{
  const bool scalars = group == "scalars";
  const auto opened = hdf5::open_child(file_.get(), group, task);
  const auto place = hdf5::at(task, group);
  std::vector<Stored> all;
  for (const std::string& name : required_names(opened, "field_names", place)) {
    const auto object = hdf5::open_child(opened.get(), name, place);
    const hdf5::Task here{.doing = task.doing, .where = place.where + "/" + name};
    Stored stored{.description = {.name = name,
                                  .unit = hdf5::read_string(object.get(), "units", here).value_or("1"),
                                  .components = 1,
                                  .time_varying = flag(object, "time_varying", !scalars, here)},
                  .group = group,
                  .order = order,
                  .sample_varying = flag(object, "sample_varying", !scalars, here),
                  .dim_varying = {}};
    if (!scalars) {
      const std::vector<double> all_vary(dimensions_.size(), 1);
      const auto varying = hdf5::read_numbers(object.get(), "dim_varying", here).value_or(all_vary);
      stored.dim_varying.assign(varying.begin(), varying.end());
      stored.dim_varying.resize(dimensions_.size(), true);
    }
    const auto shape = hdf5::shape_of(object, here);
    const auto varying = std::count(stored.dim_varying.begin(), stored.dim_varying.end(), true);
    const auto leading = stored.sample_varying + stored.description.time_varying + varying;
    for (auto axis = static_cast<std::size_t>(leading); axis < shape.size() && order > 0; ++axis)
      stored.description.components *= shape[axis];
    all.push_back(std::move(stored));
  }
  return all;
}

/// Whether neighbours are `spacing` apart, but for the rounding of float32.
static bool is_uniform(const Tensor& coordinates, double spacing)
{
  const auto expected = torch::arange(coordinates.size(0), torch::kFloat64) * spacing + coordinates[0];
  const double deviation = (coordinates - expected).abs().max().item<double>();
  const double rounding = 2 * std::numeric_limits<float>::epsilon() * coordinates.abs().max().item<double>();
  return deviation <= rounding + 1e-9 * std::abs(spacing);
}

Domain TheWell::read_domain(const hdf5::Task& task) const
{
  const auto dimensions = hdf5::open_child(file_.get(), "dimensions", task);
  const auto place = hdf5::at(task, "dimensions");
  Grid grid;
  std::vector<Tensor> positions;
  bool uniform = true;
  for (const std::string& name : dimensions_) {
    const auto object = hdf5::open_child(dimensions.get(), name, place);
    const hdf5::Task here{.doing = task.doing, .where = place.where + "/" + name};
    const Tensor coordinates = hdf5::read(object, here).to(torch::kFloat64);
    if (coordinates.dim() != 1 || coordinates.size(0) == 0)
      throw DataError({.doing = here.doing,
                       .where = here.where,
                       .found = fmt::format("coordinates {}", to_string(coordinates.sizes())),
                       .expected = "[point]: one grid for all samples and steps",
                       .advice = ""});
    const auto points = coordinates.size(0);
    const double origin = coordinates[0].item<double>();
    double spacing = points > 1 ? (coordinates[points - 1].item<double>() - origin) / double(points - 1) : 1.0;
    // Our own files say the spacing to the last digit; others may have been thinned since, so look.
    const auto stated = hdf5::read_numbers(object.get(), "spacing", here);
    if (stated && stated->size() == 1 && is_uniform(coordinates, stated->front())) spacing = stated->front();
    uniform = uniform && is_uniform(coordinates, spacing);
    positions.push_back(coordinates);
    grid.axes.push_back({.name = name,
                         .points = points,
                         .origin = origin,
                         .spacing = spacing,
                         .periodic = false,
                         .unit = hdf5::read_string(object.get(), "units", here).value_or("1")});
  }
  if (!uniform) return CurvilinearGrid{.positions = torch::stack(torch::meshgrid(positions, "ij"), -1)};

  if (!hdf5::has_child(file_.get(), "boundary_conditions", task)) return grid;
  const auto boundaries = hdf5::open_child(file_.get(), "boundary_conditions", task);
  const auto boundary_place = hdf5::at(task, "boundary_conditions");
  for (const std::string& name : hdf5::children(boundaries.get(), boundary_place)) {
    const auto boundary = hdf5::open_child(boundaries.get(), name, boundary_place);
    auto kind = hdf5::read_string(boundary.get(), "bc_type", boundary_place).value_or("");
    std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return std::tolower(c); });
    if (kind != "periodic") continue;
    const auto associated = hdf5::read_strings(boundary.get(), "associated_dims", boundary_place);
    for (Axis& axis : grid.axes)
      if (associated && std::find(associated->begin(), associated->end(), axis.name) != associated->end())
        axis.periodic = true;
  }
  return grid;
}

std::vector<FieldDescription> TheWell::fields() const
{
  std::vector<FieldDescription> fields;
  for (const Stored& field : fields_) fields.push_back(field.description);
  return fields;
}

std::map<std::string, std::string> TheWell::provenance() const
{
  const hdf5::Quiet quiet;
  const hdf5::Task task{.doing = "reading the provenance", .where = file().string()};
  std::map<std::string, std::string> texts;
  if (!hdf5::has_child(file_.get(), "provenance", task)) return texts;
  const auto group = hdf5::open_child(file_.get(), "provenance", task);
  for (const std::string& name : hdf5::attribute_names(group.get(), task))
    if (auto text = hdf5::read_string(group.get(), name, task)) texts[name] = *text;
  return texts;
}

Tensor TheWell::read_values(const Stored& stored, std::int64_t first, std::int64_t count, std::int64_t step,
                            const hdf5::Task& task) const
{
  const std::string path = stored.group + "/" + stored.description.name;
  const auto place = hdf5::at(task, path);
  const auto group = hdf5::open_child(file_.get(), stored.group, task);
  const auto object = hdf5::open_child(group.get(), stored.description.name, place);
  const auto shape = hdf5::shape_of(object, place);
  const auto points = locum::shape_of(domain_);

  std::vector<std::string> axes;             // what the attributes promise, for the message
  std::vector<std::int64_t> promised;        // extents of these axes
  std::vector<std::int64_t> start, extent;   // what to read
  std::vector<std::int64_t> kept, repeated;  // [batch, points…] as read and as wanted
  const auto add = [&](const std::string& name, std::int64_t size, std::int64_t from, std::int64_t number) {
    axes.push_back(fmt::format("{} = {}", name, size));
    promised.push_back(size);
    start.push_back(from);
    extent.push_back(number);
  };
  if (stored.sample_varying) add("sample", size_, first, count);
  kept.push_back(stored.sample_varying ? count : 1);
  repeated.push_back(count);
  if (stored.description.time_varying) add("step", steps(), step, 1);
  for (std::size_t i = 0; i < stored.dim_varying.size(); ++i) {
    if (stored.dim_varying[i]) add(dimensions_[i], points[i], 0, points[i]);
    kept.push_back(stored.dim_varying[i] ? points[i] : 1);
    repeated.push_back(points[i]);
  }
  const bool fits = shape.size() >= promised.size() && std::equal(promised.begin(), promised.end(), shape.begin());
  const std::size_t more = fits ? shape.size() - promised.size() : 0;
  const bool flat_tensor = stored.order == 2 && more == 1;
  if (!fits || (more != stored.order && !flat_tensor)) {
    for (std::size_t i = 0; i < stored.order; ++i) axes.push_back("component");
    throw DataError({.doing = task.doing,
                     .where = place.where,
                     .found = fmt::format("{} axes, {}", shape.size(), to_string(shape)),
                     .expected = fmt::format("{} axes, [{}]", axes.size(), fmt::join(axes, ", ")),
                     .advice = "attributes sample_varying, time_varying and dim_varying say which axes there are"});
  }
  std::int64_t components = 1;
  for (std::size_t axis = promised.size(); axis < shape.size(); ++axis) {
    start.push_back(0);
    extent.push_back(shape[axis]);
    components *= shape[axis];
  }
  kept.push_back(components);
  repeated.push_back(components);

  const auto type = hdf5::type_of(object, place) == torch::kFloat32 ? torch::kFloat32 : torch::kFloat64;
  return hdf5::read(object, start, extent, type, place).reshape(kept).expand(repeated).movedim(-1, 1).contiguous();
}

Sample TheWell::load(const std::vector<std::string>& fields, std::int64_t first, std::int64_t count,
                     std::int64_t step) const
{
  const hdf5::Task task{.doing = "reading samples", .where = file().string()};
  Sample sample{.domain = domain_, .fields = {}, .scalars = {}, .time = 0};
  for (const std::string& name : fields) {
    const auto stored =
        std::find_if(fields_.begin(), fields_.end(), [&](const Stored& s) { return s.description.name == name; });
    if (stored == fields_.end()) refuse_field(name);
    sample.fields[name] = {.values = read_values(*stored, first, count, step, task), .unit = stored->description.unit};
  }
  for (const Stored& scalar : scalars_)
    sample.scalars[scalar.description.name] = {.values = read_values(scalar, first, count, step, task).flatten(),
                                               .unit = scalar.description.unit};
  if (times_.dim() == 1) sample.time = times_[step].item<double>();
  else if (count > 0) sample.time = times_[first][step].item<double>();
  return sample;
}

}  // namespace locum::io
