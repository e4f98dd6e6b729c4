#include <locum/core/error.hpp>
#include <locum/io/atomic_file.hpp>
#include <locum/io/checkpoints/checkpoint.hpp>
#include <locum/io/datasets/dataset.hpp>
#include <locum/io/datasets/mesh_dataset.hpp>
#include <locum/operators/surrogate.hpp>

#include <fmt/ranges.h>

#include <algorithm>
#include <span>

#include "verbs.hpp"

namespace locum::cli {

namespace fs = std::filesystem;

static std::string indented(std::string text)
{
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 5) text.replace(at, 1, "\n    ");
  return "    " + text;
}

static void print_channels(const char* name, const std::vector<Channel>& channels)
{
  fmt::print("  {}\n", name);
  for (const Channel& channel : channels)
    fmt::print("    {}[{}] in {}\n", channel.field, channel.component, channel.unit);
}

static void print_checkpoint(const fs::path& file)
{
  const auto checkpoint = io::Checkpoint::read(file);
  const auto surrogate = operators::Surrogate::load(checkpoint, file.string());
  fmt::print("{}: checkpoint of a surrogate, {} parameters\n", file.string(), surrogate.parameters());
  print_channels("inputs", surrogate.inputs());
  print_channels("outputs", surrogate.outputs());
  fmt::print("  model\n{}\n", indented(checkpoint.text("model/options")));
  if (checkpoint.has("training/epoch"))
    fmt::print("  after epoch {}, best validation error {:.4f}\n", checkpoint.integer("training/epoch"),
               checkpoint.real("training/best_validation"));
}

namespace {

/// What was seen of a field's values.
struct Seen {
  double least = std::numeric_limits<double>::infinity(), most = -least;
  std::int64_t values = 0, missing = 0;

  void look_at(const Tensor& some)
  {
    const Tensor known = some.masked_select(some.isfinite());
    values += some.numel();
    missing += some.numel() - known.numel();
    if (known.numel() == 0) return;
    least = std::min(least, known.min().item<double>());
    most = std::max(most, known.max().item<double>());
  }
};

/// Samples and steps that are looked at: all, or some spread over the file.
std::vector<std::int64_t> spread(std::int64_t count, bool full)
{
  constexpr std::int64_t some = 8;
  const std::int64_t looked_at = full ? count : std::min(count, some);
  std::vector<std::int64_t> chosen;
  for (std::int64_t i = 0; i < looked_at; ++i) chosen.push_back(looked_at == 1 ? 0 : i * (count - 1) / (looked_at - 1));
  return chosen;
}

std::map<std::string, Seen> look(const io::Dataset& dataset, bool full)
{
  std::map<std::string, Seen> seen;
  const auto samples = spread(dataset.size(), full), steps = spread(dataset.steps(), full);
  for (const auto& field : dataset.fields())
    for (const std::int64_t sample : samples)
      for (const std::int64_t step : field.time_varying ? steps : std::vector<std::int64_t>{0})
        seen[field.name].look_at(dataset.read({field.name}, sample, 1, step).field(field.name).values);
  for (const std::int64_t sample : samples)
    for (const std::int64_t step : steps)
      for (const auto& [name, scalar] : dataset.read_scalars(sample, 1, step)) seen[name].look_at(scalar.values);
  return seen;
}

std::string axes_of(const io::FieldDescription& field)
{
  std::string text;
  for (const auto& [name, extent] : field.axes)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name == "time" ? "step" : name, extent);
  return "[" + text + "]";
}

void print_fields(const char* title, const std::vector<io::FieldDescription>& fields,
                  const std::map<std::string, Seen>& seen)
{
  if (!fields.empty()) fmt::print("  {}\n", title);
  for (const auto& field : fields) {
    fmt::print("    {:<22} {} in {}", field.name, axes_of(field), field.unit);
    if (const auto found = seen.find(field.name); found != seen.end()) {
      const Seen& values = found->second;
      if (values.values > values.missing) fmt::print(", {:.6g} to {:.6g}", values.least, values.most);
      if (values.missing > 0) fmt::print(", {} of {} not finite", values.missing, values.values);
    }
    fmt::print("\n");
  }
}

void print_domain(const io::Dataset& dataset)
{
  if (dataset.fields().empty()) return;
  const Domain domain = dataset.domain({dataset.fields().front().name});
  const Grid* grid = std::get_if<Grid>(&domain);
  fmt::print("  grid of {}\n", dataset.fields().front().name);
  if (!grid) fmt::print("    {} points at unequal distances\n", to_string(shape_of(domain)));
  else
    for (const Axis& axis : grid->axes)
      fmt::print("    {:<22} {} points from {:g} to {:g} in {}{}\n", axis.name, axis.points, axis.origin,
                 axis.origin + axis.spacing * static_cast<double>(axis.points - 1), axis.unit,
                 axis.periodic ? ", periodic" : "");
}

/// "5 to 9", or "5"
std::string range_text(const std::vector<std::int64_t>& values)
{
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *low == *high ? fmt::format("{}", *low) : fmt::format("{} to {}", *low, *high);
}

void print_mesh_dataset(const io::MeshDataset& dataset)
{
  fmt::print("{}: samples on meshes, {} samples, {} meshes\n", dataset.file().string(), dataset.size(),
             dataset.meshes());
  if (dataset.size() > 0) {
    std::map<std::string, Seen> seen;
    std::vector<std::int64_t> vertices, cells;
    for (std::int64_t i = 0; i < dataset.size(); ++i) {
      const Sample& sample = dataset.read(i);
      vertices.push_back(std::get<Mesh>(sample.domain).vertices.size(0));
      cells.push_back(std::get<Mesh>(sample.domain).cells.size(0));
      for (const auto& [name, field] : sample.fields) seen[name].look_at(field.values);
      for (const auto& [name, scalar] : sample.scalars) seen[name].look_at(scalar.values);
    }
    const Sample& first = dataset.read(0);
    const Mesh& mesh = std::get<Mesh>(first.domain);
    std::vector<std::string> boundaries;
    for (const auto& [name, facets] : mesh.boundaries) boundaries.push_back(name);
    fmt::print("  meshes\n    {:<22} {} in {} dimensions, {} a mesh\n    {:<22} {} a mesh\n    {:<22} {}\n", "cells",
               io::name_of(mesh.kind), mesh.vertices.size(1), range_text(cells), "vertices", range_text(vertices),
               "boundaries", fmt::join(boundaries, ", "));
    std::vector<io::FieldDescription> fields, scalars;
    for (const auto& [name, field] : first.fields)
      fields.push_back({.name = name,
                        .unit = field.unit,
                        .components = field.values.size(1),
                        .axes = {{"sample", dataset.size()}, {"component", field.values.size(1)}}});
    for (const auto& [name, scalar] : first.scalars)
      scalars.push_back({.name = name, .unit = scalar.unit, .axes = {{"sample", dataset.size()}}});
    print_fields("fields, at the vertices", fields, seen);
    print_fields("scalars", scalars, seen);
  }
  for (const auto& [name, text] : dataset.provenance())
    if (!text.empty()) fmt::print("  {}\n{}\n", name, indented(text));
}

void print_dataset(const io::Dataset& dataset, bool full)
{
  fmt::print("{}: {}, {} samples, {} steps\n", dataset.file().string(), dataset.layout(), dataset.size(),
             dataset.steps());
  if (dataset.files().size() > 1) fmt::print("  {} files\n", dataset.files().size());
  if (dataset.steps() > 1 && dataset.size() > 0)
    fmt::print("  time from {} to {}\n", dataset.time_text(0, 0), dataset.time_text(0, dataset.steps() - 1));
  const auto seen = dataset.size() > 0 ? look(dataset, full) : std::map<std::string, Seen>{};
  print_fields(full ? "fields" : "fields (ranges of some samples; --full for all)", dataset.fields(), seen);
  print_fields("scalars", dataset.scalars(), seen);
  print_domain(dataset);
  for (const auto& [name, text] : dataset.provenance())
    if (!text.empty()) fmt::print("  {}\n{}\n", name, indented(text));
}

/// Whether all axes of `field` are among those of `larger`: it can be repeated along the others.
bool has_axes_of(const io::FieldDescription& larger, const io::FieldDescription& field)
{
  return std::all_of(field.axes.begin(), field.axes.end(), [&](const auto& axis) {
    return std::find(larger.axes.begin(), larger.axes.end(), axis) != larger.axes.end();
  });
}

/// A case that trains on the file: the next step of what evolves, or of steady fields the one that is known as a
/// solution, or the last, from the others.
std::string case_for(const io::Dataset& dataset, bool missing)
{
  std::vector<std::string> evolving, steady;
  for (const auto& field : dataset.fields())
    if (!field.name.starts_with("boundary_")) (field.time_varying ? evolving : steady).push_back(field.name);
  const auto shape_with = [&](const std::string& name) { return shape_of(dataset.domain({name})); };
  std::vector<std::string> inputs, outputs;
  bool described = false;  // fields without names of axes, some of which lack one
  if (!evolving.empty() && dataset.steps() > 1) {
    for (const auto& name : evolving)
      if (shape_with(name) == shape_with(evolving.front())) outputs.push_back(name);
    inputs = outputs;
    for (const auto& name : steady)
      if (shape_with(name) == shape_with(outputs.front())) inputs.push_back(name);
  } else {
    steady.insert(steady.end(), evolving.begin(), evolving.end());
    std::string output = steady.back();
    for (const char* known : {"solution", "sol", "tensor", "u"})
      if (std::find(steady.begin(), steady.end(), known) != steady.end()) {
        output = known;
        break;
      }
    outputs = {output};
    for (const auto& name : steady) {
      if (name == output) continue;
      if (shape_with(name) == shape_with(output)) inputs.push_back(name);
      else if (dataset.layout().starts_with("arrays") &&
               has_axes_of(dataset.describe(output), dataset.describe(name))) {
        inputs.push_back(name);
        described = true;
      }
    }
    if (inputs.empty()) inputs = outputs;
  }

  const auto points = shape_with(outputs.front());
  std::vector<std::int64_t> modes;
  for (const auto n : points) modes.push_back(std::clamp<std::int64_t>(n / 4, 1, 12));
  const bool evolves = dataset.steps() > 1 && !evolving.empty();
  std::string text = fmt::format(
      "# Written by `locum info --write-case`: a start, not a recommendation.\n"
      "# {}: {}, {} samples, {} steps\n"
      "[data]\n"
      "train      = {}\n"
      "inputs     = {}\n"
      "outputs    = {}\n",
      dataset.file().string(), dataset.layout(), dataset.size(), dataset.steps(),
      to_toml(fs::absolute(dataset.file()).string()), to_toml(inputs), to_toml(outputs));
  if (evolves)
    text +=
        "history    = 1                # steps of the inputs up to now\nhorizon    = 1                # steps to "
        "predict\n";
  if (missing) text += "mask       = \"missing\"        # some values are not finite: land, or what nobody measured\n";
  for (const auto* names : {&inputs, &outputs})
    for (const auto& name : described ? *names : std::vector<std::string>{}) {
      std::vector<std::string> axes;
      for (const auto& [axis, extent] : dataset.describe(name).axes) axes.push_back(axis);
      text += fmt::format("\n[data.fields.{}]\naxes       = {}\n", to_toml(name), to_toml(axes));
    }
  text += fmt::format(
      "\n[model]\n"
      "name       = \"fourier\"\n"
      "modes      = [{}]\n"
      "width      = 32\n"
      "\n[training]\n"
      "epochs     = 20\n"
      "batch      = {}\n",
      fmt::join(modes, ", "), std::clamp<std::int64_t>(dataset.size() * dataset.steps() / 20, 1, 20));
  return text;
}

}  // namespace

void info(const InfoRequest& request)
{
  if (!fs::is_directory(request.file) && io::Checkpoint::recognises(request.file)) {
    print_checkpoint(request.file);
    return;
  }
  if (request.write_case.empty() && io::is_mesh_dataset(request.file)) {
    print_mesh_dataset(io::MeshDataset(request.file));
    return;
  }
  const auto dataset = io::open_dataset(request.file);
  print_dataset(*dataset, request.full);
  if (request.write_case.empty()) return;
  bool missing = false;
  for (const auto& [name, values] : look(*dataset, request.full)) missing = missing || values.missing > 0;
  const std::string text = case_for(*dataset, missing);
  io::write_atomically(request.write_case, std::as_bytes(std::span(text)));
  fmt::print("a case that trains on it: {}\n", request.write_case.string());
}

}  // namespace locum::cli
