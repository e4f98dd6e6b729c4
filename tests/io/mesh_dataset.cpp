#include <locum/io/datasets/dataset.hpp>
#include <locum/io/datasets/mesh_dataset.hpp>

#include <fstream>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/hdf5_files.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using tests::message_of;
using tests::says;

namespace {

/// A fan of `count` triangles around vertex 0.
Mesh fan(std::int64_t count)
{
  Mesh mesh;
  const Tensor angle = torch::arange(count + 1, torch::kFloat64) * (3.0 / double(count));
  mesh.vertices = torch::cat({torch::zeros({1, 2}, torch::kFloat64), torch::stack({angle.cos(), angle.sin()}, 1)});
  const Tensor first = torch::arange(count) + 1;
  mesh.cells = torch::stack({torch::zeros_like(first), first, first + 1}, 1);
  mesh.boundaries["rim"] = torch::stack({first, first + 1}, 1);
  if (count % 2 == 0) mesh.boundaries["start"] = torch::tensor({{0, 1}}, torch::kInt64);
  return mesh;
}

Sample sample_on(const Mesh& mesh, double value)
{
  Sample sample{.domain = mesh, .fields = {}, .scalars = {}, .time = 0};
  const auto vertices = mesh.vertices.size(0);
  sample.fields["displacement"] = {
      .values = value + torch::arange(2 * vertices, torch::kFloat64).view({1, 2, vertices}), .unit = "m"};
  sample.fields["von_mises"] = {.values = torch::full({1, 1, vertices}, value, torch::kFloat64), .unit = "Pa"};
  sample.scalars["load"] = {.values = torch::full({1}, value + 0.1, torch::kFloat64), .unit = "N"};
  return sample;
}

std::vector<Sample> three_samples() { return {sample_on(fan(3), 1), sample_on(fan(3), 2), sample_on(fan(4), 3)}; }

}  // namespace

TEST_CASE("datasets on meshes: what is written is read, and neighbours on one mesh share it", "[io]")
{
  const tests::TemporaryFolder folder;
  const auto samples = three_samples();
  io::write_mesh_dataset(folder / "d.h5", "fans", samples, {{"version", "1"}});
  CHECK(io::is_mesh_dataset(folder / "d.h5"));
  const io::MeshDataset dataset(folder / "d.h5");
  REQUIRE(dataset.size() == 3);
  CHECK(dataset.meshes() == 2);
  CHECK(dataset.provenance().at("version") == "1");
  for (std::int64_t i = 0; i < 3; ++i) {
    const Sample &read = dataset.read(i), &written = samples[std::size_t(i)];
    const Mesh &mesh = std::get<Mesh>(read.domain), &expected = std::get<Mesh>(written.domain);
    CHECK(mesh.kind == Mesh::Cell::triangle);
    CHECK(torch::equal(mesh.vertices, expected.vertices));
    CHECK(torch::equal(mesh.cells, expected.cells));
    REQUIRE(mesh.boundaries.size() == expected.boundaries.size());
    for (const auto& [name, facets] : expected.boundaries) CHECK(torch::equal(mesh.boundaries.at(name), facets));
    for (const auto& [name, field] : written.fields) {
      CHECK(torch::equal(read.field(name).values, field.values.to(torch::kFloat32)));
      CHECK(read.field(name).unit == field.unit);
    }
    CHECK(torch::equal(read.scalars.at("load").values, written.scalars.at("load").values));
    CHECK(read.scalars.at("load").unit == "N");
  }
  CHECK(says(message_of([&] { dataset.read(3); }), {"sample 3", "its 3 samples"}));
  CHECK(says(message_of([&] { io::open_dataset(folder / "d.h5"); }), {"samples on meshes", "locum info"}));
}

TEST_CASE("datasets on meshes: there may be no samples", "[io]")
{
  const tests::TemporaryFolder folder;
  io::write_mesh_dataset(folder / "d.h5", "none", {}, {{"failed_draws", "0 why\n"}});
  const io::MeshDataset dataset(folder / "d.h5");
  CHECK(dataset.size() == 0);
  CHECK(dataset.provenance().at("failed_draws") == "0 why\n");
}

TEST_CASE("datasets on meshes: samples that differ in kind are refused", "[io][error]")
{
  const tests::TemporaryFolder folder;
  auto samples = three_samples();
  const auto message = [&] { return message_of([&] { io::write_mesh_dataset(folder / "d.h5", "", samples, {}); }); };
  SECTION("another field")
  {
    samples[2].fields.erase("von_mises");
    CHECK(says(message(), {"samples with other fields"}));
  }
  SECTION("another unit")
  {
    samples[1].fields["von_mises"].unit = "MPa";
    CHECK(says(message(), {"samples with other fields", "von_mises"}));
  }
  SECTION("components that are no vector")
  {
    for (Sample& sample : samples)
      sample.fields["von_mises"].values = sample.fields["von_mises"].values.expand({1, 3, -1});
    CHECK(says(message(), {"3 components of von_mises", "1 or 2"}));
  }
  SECTION("a grid")
  {
    samples[0].domain = Grid::cell_centres({2}, {1});
    CHECK(says(message(), {"a sample on no mesh"}));
  }
  CHECK(!std::filesystem::exists(folder / "d.h5"));
}

TEST_CASE("datasets on meshes: files whose parts do not fit are refused", "[io][error]")
{
  const tests::TemporaryFolder folder;
  const auto file = folder / "d.h5";
  io::write_mesh_dataset(file, "fans", three_samples(), {});
  const auto change = [&](const char* path, std::int64_t at, auto value) {
    const io::hdf5::FileHandle h(H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    const io::hdf5::ObjectHandle dataset(H5Dopen2(h.get(), path, H5P_DEFAULT));
    Tensor values = io::hdf5::read(dataset, tests::writing);
    values.flatten()[at] = value;
    H5Dwrite(dataset.get(), io::hdf5::memory_type(values.scalar_type(), tests::writing), H5S_ALL, H5S_ALL, H5P_DEFAULT,
             values.data_ptr());
  };
  const auto message = [&] { return message_of([&] { io::MeshDataset{file}; }); };
  SECTION("a mesh that is not there")
  {
    change("mesh/of_sample", 2, 5);
    CHECK(says(message(), {"mesh/of_sample", "found 5"}));
  }
  SECTION("more meshes than have offsets")
  {
    change("mesh/of_sample", 2, 2);
    CHECK(says(message(), {"mesh/vertex_offsets"}));
  }
  SECTION("a vertex of another mesh")
  {
    change("mesh/cells", 1, 5);
    CHECK(says(message(), {"mesh/cells", "found 5", "0 to 4"}));
  }
  SECTION("offsets that go back")
  {
    change("mesh/cell_offsets", 1, 9);
    CHECK(says(message(), {"mesh/cell_offsets"}));
  }
  SECTION("a coordinate that is none")
  {
    change("mesh/vertices", 3, std::numeric_limits<double>::quiet_NaN());
    CHECK(says(message(), {"mesh/vertices", "not finite"}));
  }
  SECTION("a facet beyond the mesh")
  {
    change("mesh/boundaries/rim/facets", 0, -1);
    CHECK(says(message(), {"boundaries/rim", "found -1"}));
  }
  SECTION("cut off")
  {
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
    CHECK_THROWS_AS(io::MeshDataset{file}, DataError);
  }
  SECTION("no HDF5 at all")
  {
    std::ofstream(file) << "hello";
    CHECK(!io::is_mesh_dataset(file));
  }
}
