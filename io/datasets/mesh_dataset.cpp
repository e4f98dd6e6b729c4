#include "mesh_dataset.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "../atomic_file.hpp"
#include "../hdf5/hdf5.hpp"
#include "../hdf5/rehearsal.hpp"

namespace locum::io {

static constexpr std::array cell_names = {
    std::pair{Mesh::Cell::triangle, "triangle"},
    std::pair{Mesh::Cell::quadrilateral, "quadrilateral"},
    std::pair{Mesh::Cell::tetrahedron, "tetrahedron"},
    std::pair{Mesh::Cell::hexahedron, "hexahedron"},
    std::pair{Mesh::Cell::quadratic_triangle, "quadratic_triangle"},
    std::pair{Mesh::Cell::quadratic_tetrahedron, "quadratic_tetrahedron"},
};

std::string name_of(Mesh::Cell kind)
{
  for (const auto& [known, name] : cell_names)
    if (known == kind) return name;
  return "?";
}

static const char* const reading = "reading samples on meshes";

// --- writing

namespace {

bool same_mesh(const Mesh& a, const Mesh& b)
{
  if (a.kind != b.kind || !torch::equal(a.cells, b.cells) || !torch::equal(a.vertices, b.vertices)) return false;
  return std::equal(
      a.boundaries.begin(), a.boundaries.end(), b.boundaries.begin(), b.boundaries.end(),
      [](const auto& x, const auto& y) { return x.first == y.first && torch::equal(x.second, y.second); });
}

[[noreturn]] void refuse_samples(const std::filesystem::path& file, const std::string& found,
                                 const std::string& expected)
{
  throw ShapeError({.doing = "writing samples on meshes",
                    .where = file.string(),
                    .found = found,
                    .expected = expected,
                    .advice = ""});
}

/// Where the rows of each of some tables begin if they lie one after the other, int64 [table + 1].
Tensor offsets_of(const std::vector<Tensor>& tables)
{
  std::vector<std::int64_t> offsets = {0};
  for (const Tensor& table : tables) offsets.push_back(offsets.back() + table.size(0));
  return torch::tensor(offsets, torch::kInt64);
}

void describe(const hdf5::ObjectHandle& dataset, const std::string& unit, const hdf5::Task& task)
{
  hdf5::write_attribute(dataset.get(), "units", unit, task);
  hdf5::write_attribute(dataset.get(), "sample_varying", true, task);
  hdf5::write_attribute(dataset.get(), "time_varying", false, task);
}

void put_meshes(hid_t file, const std::vector<const Mesh*>& meshes, const std::vector<std::int64_t>& of_sample,
                const hdf5::Task& task)
{
  const auto group = hdf5::create_group(file, "mesh", task);
  hdf5::create_group(file, "mesh/boundaries", task);
  hdf5::write(file, "mesh/of_sample", torch::tensor(of_sample, torch::kInt64), task);
  if (meshes.empty()) return;
  hdf5::write_attribute(group.get(), "cell", name_of(meshes.front()->kind), task);
  std::vector<Tensor> vertices, cells;
  std::map<std::string, std::vector<Tensor>> boundaries;
  for (const Mesh* mesh : meshes) {
    vertices.push_back(mesh->vertices.to(torch::kFloat64));
    cells.push_back(mesh->cells);
    for (const auto& [name, facets] : mesh->boundaries) boundaries[name];
  }
  for (auto& [name, all] : boundaries)
    for (const Mesh* mesh : meshes) {
      const auto own = mesh->boundaries.find(name);
      const auto corners = meshes.front()->boundaries.begin()->second.size(1);
      all.push_back(own == mesh->boundaries.end() ? torch::zeros({0, corners}, torch::kInt64) : own->second);
    }
  hdf5::write(file, "mesh/vertices", torch::cat(vertices).contiguous(), task);
  hdf5::write(file, "mesh/vertex_offsets", offsets_of(vertices), task);
  hdf5::write(file, "mesh/cells", torch::cat(cells).contiguous(), task);
  hdf5::write(file, "mesh/cell_offsets", offsets_of(cells), task);
  for (const auto& [name, all] : boundaries) {
    hdf5::create_group(file, "mesh/boundaries/" + name, task);
    hdf5::write(file, fmt::format("mesh/boundaries/{}/facets", name), torch::cat(all).contiguous(), task);
    hdf5::write(file, fmt::format("mesh/boundaries/{}/facet_offsets", name), offsets_of(all), task);
  }
}

}  // namespace

void write_mesh_dataset(const std::filesystem::path& file, const std::string& name, const std::vector<Sample>& samples,
                        const std::map<std::string, std::string>& provenance)
{
  std::vector<const Mesh*> meshes;
  std::vector<std::int64_t> of_sample;
  for (const Sample& sample : samples) {
    const Mesh* mesh = std::get_if<Mesh>(&sample.domain);
    if (!mesh) refuse_samples(file, "a sample on no mesh", "samples on meshes");
    if (meshes.empty() || !same_mesh(*mesh, *meshes.back())) meshes.push_back(mesh);
    of_sample.push_back(static_cast<std::int64_t>(meshes.size()) - 1);
    if (mesh->kind != meshes.front()->kind || mesh->vertices.size(1) != meshes.front()->vertices.size(1))
      refuse_samples(file, "meshes of several kinds of cells", "one kind");
  }
  const hdf5::Quiet quiet;
  const hdf5::Task task{
      .doing = "writing samples on meshes", .where = file.string(), .access = hdf5::Task::Access::write};
  const auto out = hdf5::create_in_memory(1 << 20, {}, task);
  const auto dimension = meshes.empty() ? std::int64_t{0} : meshes.front()->vertices.size(1);
  hdf5::write_attribute(out.get(), "dataset_name", name, task);
  hdf5::write_attribute(out.get(), "grid_type", std::string("mesh"), task);
  hdf5::write_attribute(out.get(), "n_spatial_dims", dimension, task);
  hdf5::write_attribute(out.get(), "n_trajectories", static_cast<std::int64_t>(samples.size()), task);
  put_meshes(out.get(), meshes, of_sample, task);
  for (const char* group : {"t0_fields", "t1_fields", "scalars"}) hdf5::create_group(out.get(), group, task);
  const Sample none;
  const Sample& first = samples.empty() ? none : samples.front();
  for (const auto& [field, example] : first.fields) {
    std::vector<Tensor> rows;
    const auto components = example.values.size(1);
    if (components != 1 && components != dimension)
      refuse_samples(file, fmt::format("{} components of {}", components, field), fmt::format("1 or {}", dimension));
    for (const Sample& sample : samples) {
      const auto own = sample.fields.find(field);
      const auto vertices = std::get<Mesh>(sample.domain).vertices.size(0);
      if (sample.fields.size() != first.fields.size() || own == sample.fields.end() ||
          own->second.unit != example.unit ||
          own->second.values.sizes() != torch::IntArrayRef({1, components, vertices}))
        refuse_samples(file, "samples with other fields",
                       fmt::format("{} [1, {}, vertex] and the others of the first", field, components));
      const Tensor values = own->second.values[0].detach().to(torch::kCPU, torch::kFloat32);
      rows.push_back(components == 1 ? values[0] : values.t());
    }
    const std::string path = fmt::format("t{}_fields/{}", components == 1 ? 0 : 1, field);
    describe(hdf5::write(out.get(), path, torch::cat(rows).contiguous(), task), example.unit, task);
  }
  for (const auto& [scalar, example] : first.scalars) {
    std::vector<Tensor> values;
    for (const Sample& sample : samples) {
      const auto own = sample.scalars.find(scalar);
      if (own == sample.scalars.end())
        refuse_samples(file, fmt::format("a sample without scalar {}", scalar), "one each");
      values.push_back(own->second.values.detach().to(torch::kFloat64));
    }
    describe(hdf5::write(out.get(), "scalars/" + scalar, torch::cat(values), task), example.unit, task);
  }
  const auto group = hdf5::create_group(out.get(), "provenance", task);
  for (const auto& [key, text] : provenance) hdf5::write_attribute(group.get(), key, text, task);
  write_atomically(file, hdf5::image_of(out, task));
}

// --- reading

namespace {

[[noreturn]] void refuse(const hdf5::Task& task, const std::string& found, const std::string& expected)
{
  throw DataError({.doing = task.doing, .where = task.where, .found = found, .expected = expected, .advice = ""});
}

struct Named {
  Tensor values;
  hdf5::Task task;  // where it stands
};

Named read_array(hid_t group, const std::string& name, const hdf5::Task& task)
{
  const auto here = hdf5::at(task, name);
  const auto object = hdf5::open_child(group, name, task);
  if (!hdf5::is_dataset(object)) refuse(here, "a group", "an array");
  return {hdf5::read(object, here), here};
}

/// Whole numbers from `least` on, below `most`. @throws DataError  for others
void require_range(const Named& array, std::int64_t least, std::int64_t most, const char* what)
{
  if (array.values.scalar_type() != torch::kInt64) refuse(array.task, "numbers that are not whole", what);
  if (array.values.numel() == 0) return;
  const auto low = array.values.min().item<std::int64_t>(), high = array.values.max().item<std::int64_t>();
  if (low < least || high >= most)
    refuse(array.task, fmt::format("{}", low < least ? low : high), fmt::format("{}, {} to {}", what, least, most - 1));
}

/// Begins of parts of so many rows: from 0, never less, to `rows`.
Tensor read_offsets(hid_t group, const std::string& name, std::int64_t parts, std::int64_t rows, const hdf5::Task& task)
{
  const Named offsets = read_array(group, name, task);
  require_range(offsets, 0, rows + 1, "beginnings of parts");
  const Tensor& o = offsets.values;
  if (o.dim() != 1 || o.size(0) != parts + 1 || o[0].item<std::int64_t>() != 0 || o[-1].item<std::int64_t>() != rows ||
      (o.diff() < 0).any().item<bool>())
    refuse(offsets.task, to_string(o.sizes()),
           fmt::format("{} numbers from 0 to {}, none less than the one before", parts + 1, rows));
  return o;
}

/// Rows of a table that belong to part i.
Tensor part_of(const Tensor& table, const Tensor& offsets, std::int64_t i)
{
  return table.slice(0, offsets[i].item<std::int64_t>(), offsets[i + 1].item<std::int64_t>());
}

Named read_table(hid_t group, const std::string& name, torch::Dtype type, const hdf5::Task& task)
{
  Named table = read_array(group, name, task);
  if (table.values.dim() != 2) refuse(table.task, to_string(table.values.sizes()), "two axes");
  if (type == torch::kFloat64) table.values = table.values.to(torch::kFloat64);
  return table;
}

/// Corners of cells, and of their facets.
std::pair<std::int64_t, std::int64_t> corners_of(Mesh::Cell kind)
{
  switch (kind) {
    case Mesh::Cell::triangle:
      return {3, 2};
    case Mesh::Cell::quadrilateral:
      return {4, 2};
    case Mesh::Cell::tetrahedron:
      return {4, 3};
    case Mesh::Cell::hexahedron:
      return {8, 4};
    case Mesh::Cell::quadratic_triangle:
      return {6, 3};
    case Mesh::Cell::quadratic_tetrahedron:
      break;
  }
  return {10, 6};
}

std::vector<Mesh> read_meshes(hid_t file, std::int64_t count, const hdf5::Task& task)
{
  const auto group = hdf5::open_child(file, "mesh", task);
  const auto place = hdf5::at(task, "mesh");
  const auto kind_name = hdf5::read_string(group.get(), "cell", place).value_or("");
  const auto kind =
      std::find_if(cell_names.begin(), cell_names.end(), [&](const auto& k) { return k.second == kind_name; });
  if (kind == cell_names.end()) refuse(place, fmt::format("cell = \"{}\"", kind_name), "triangle, tetrahedron …");
  const auto [corners, facet_corners] = corners_of(kind->first);

  const Named vertices = read_table(group.get(), "vertices", torch::kFloat64, place);
  const auto dimension = vertices.values.size(1);
  if (dimension != 2 && dimension != 3) refuse(vertices.task, to_string(vertices.values.sizes()), "2 or 3 coordinates");
  if (!vertices.values.isfinite().all().item<bool>())
    refuse(vertices.task, "coordinates that are not finite", "finite ones");
  const Named cells = read_table(group.get(), "cells", torch::kInt64, place);
  if (cells.values.size(1) != corners)
    refuse(cells.task, to_string(cells.values.sizes()), fmt::format("[cell, {}]", corners));
  const Tensor of_vertices = read_offsets(group.get(), "vertex_offsets", count, vertices.values.size(0), place);
  const Tensor of_cells = read_offsets(group.get(), "cell_offsets", count, cells.values.size(0), place);
  std::vector<Mesh> meshes(static_cast<std::size_t>(count));
  const auto require_vertices = [&](const Named& indices, const Tensor& offsets) {
    for (std::int64_t m = 0; m < count; ++m)
      require_range({part_of(indices.values, offsets, m), indices.task}, 0,
                    meshes[static_cast<std::size_t>(m)].vertices.size(0), "vertices of the mesh");
  };
  for (std::int64_t m = 0; m < count; ++m) {
    Mesh& mesh = meshes[static_cast<std::size_t>(m)];
    mesh.kind = kind->first;
    mesh.vertices = part_of(vertices.values, of_vertices, m);
    mesh.cells = part_of(cells.values, of_cells, m);
  }
  require_vertices(cells, of_cells);
  const auto boundaries = hdf5::open_child(group.get(), "boundaries", place);
  for (const std::string& name : hdf5::children(boundaries.get(), place)) {
    const auto here = hdf5::at(place, "boundaries/" + name);
    const auto boundary = hdf5::open_child(boundaries.get(), name, place);
    if (hdf5::is_dataset(boundary)) refuse(here, "an array", "a group");
    const Named facets = read_table(boundary.get(), "facets", torch::kInt64, here);
    if (facets.values.size(1) != facet_corners)
      refuse(facets.task, to_string(facets.values.sizes()), fmt::format("[facet, {}]", facet_corners));
    const Tensor offsets = read_offsets(boundary.get(), "facet_offsets", count, facets.values.size(0), here);
    require_vertices(facets, offsets);
    for (std::int64_t m = 0; m < count; ++m)
      if (const Tensor own = part_of(facets.values, offsets, m); own.size(0) > 0)
        meshes[static_cast<std::size_t>(m)].boundaries[name] = own;
  }
  return meshes;
}

std::string unit_of(hid_t group, const std::string& name, const hdf5::Task& task)
{
  return hdf5::read_string(hdf5::open_child(group, name, task).get(), "units", task).value_or("1");
}

/// The samples of a file, and how many meshes they are on.
std::pair<std::vector<Sample>, std::int64_t> read_samples(const hdf5::FileHandle& file, const hdf5::Task& task)
{
  const auto mesh_group = hdf5::open_child(file.get(), "mesh", task);
  const Named of_sample = read_array(mesh_group.get(), "of_sample", hdf5::at(task, "mesh"));
  const auto count = of_sample.values.numel();
  if (of_sample.values.dim() != 1) refuse(of_sample.task, to_string(of_sample.values.sizes()), "[sample]");
  if (count == 0) return {};
  require_range(of_sample, 0, count, "meshes");
  const auto mesh_count = of_sample.values.max().item<std::int64_t>() + 1;
  const auto meshes = read_meshes(file.get(), mesh_count, task);
  std::vector<Sample> samples;
  std::vector<std::int64_t> begin = {0};
  for (std::int64_t i = 0; i < count; ++i) {
    const Mesh& mesh = meshes[static_cast<std::size_t>(of_sample.values[i].item<std::int64_t>())];
    samples.push_back({.domain = mesh, .fields = {}, .scalars = {}, .time = 0});
    begin.push_back(begin.back() + mesh.vertices.size(0));
  }
  const auto dimension = meshes.front().vertices.size(1);
  for (const auto& [name, components] : {std::pair{"t0_fields", std::int64_t{1}}, std::pair{"t1_fields", dimension}}) {
    const auto group = hdf5::open_child(file.get(), name, task);
    const auto place = hdf5::at(task, name);
    for (const std::string& field : hdf5::children(group.get(), place)) {
      const Named all = read_array(group.get(), field, place);
      const std::vector<std::int64_t> expected =
          components == 1 ? std::vector{begin.back()} : std::vector{begin.back(), components};
      if (all.values.sizes() != torch::IntArrayRef(expected))
        refuse(all.task, to_string(all.values.sizes()), to_string(expected) + ", the vertices of all samples");
      const Tensor rows = all.values.view({-1, components});
      const std::string unit = unit_of(group.get(), field, place);
      for (std::size_t i = 0; i < samples.size(); ++i)
        samples[i].fields[field] = {.values = rows.slice(0, begin[i], begin[i + 1]).t().unsqueeze(0), .unit = unit};
    }
  }
  const auto scalars = hdf5::open_child(file.get(), "scalars", task);
  const auto place = hdf5::at(task, "scalars");
  for (const std::string& name : hdf5::children(scalars.get(), place)) {
    const Named all = read_array(scalars.get(), name, place);
    if (all.values.sizes() != torch::IntArrayRef({count}))
      refuse(all.task, to_string(all.values.sizes()), fmt::format("[{}]", count));
    for (std::int64_t i = 0; i < count; ++i)
      samples[static_cast<std::size_t>(i)].scalars[name] = {.values = all.values.narrow(0, i, 1).to(torch::kFloat64),
                                                            .unit = unit_of(scalars.get(), name, place)};
  }
  return {std::move(samples), mesh_count};
}

}  // namespace

bool is_mesh_dataset(const std::filesystem::path& path)
{
  const hdf5::Quiet quiet;
  const hdf5::Task task{.doing = reading, .where = path.string()};
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error) || H5Fis_hdf5(path.c_str()) <= 0) return false;
  bool found = false;
  const auto bytes = std::filesystem::file_size(path, error);
  const auto look = [&] { found = hdf5::has_child(hdf5::open_file(path, reading).get(), "mesh", task); };
  hdf5::rehearse(task, error ? 0 : bytes, look);
  look();
  return found;
}

MeshDataset::MeshDataset(const std::filesystem::path& file) : file_(file)
{
  const hdf5::Quiet quiet;
  const hdf5::Task task{.doing = reading, .where = file.string()};
  std::error_code error;
  const auto bytes = std::filesystem::file_size(file, error);  // that there is none open_file() says
  hdf5::rehearse(task, error ? 0 : bytes, [&] { read_samples(hdf5::open_file(file, reading), task); });
  const auto opened = hdf5::open_file(file, reading);
  std::tie(samples_, meshes_) = read_samples(opened, task);
  if (!hdf5::has_child(opened.get(), "provenance", task)) return;
  const auto group = hdf5::open_child(opened.get(), "provenance", task);
  for (const std::string& name : hdf5::attribute_names(group.get(), task))
    if (auto text = hdf5::read_string(group.get(), name, task)) provenance_[name] = *text;
}

const Sample& MeshDataset::read(std::int64_t i) const
{
  if (i >= 0 && i < size()) return samples_[static_cast<std::size_t>(i)];
  throw DataError({.doing = reading,
                   .where = file_.string(),
                   .found = fmt::format("a request for sample {}", i),
                   .expected = fmt::format("one of its {} samples, numbered from 0", size()),
                   .advice = ""});
}

}  // namespace locum::io
