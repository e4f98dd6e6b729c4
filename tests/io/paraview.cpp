#include <sys/mount.h>
#include <unistd.h>
#include <vtkCellData.h>
#include <vtkDataArray.h>
#include <vtkFieldData.h>
#include <vtkImageData.h>
#include <vtkNew.h>
#include <vtkPointData.h>
#include <vtkSmartPointer.h>
#include <vtkStringArray.h>
#include <vtkStructuredGrid.h>
#include <vtkUnstructuredGrid.h>
#include <vtkXMLImageDataReader.h>
#include <vtkXMLStructuredGridReader.h>
#include <vtkXMLUnstructuredGridReader.h>
#include <locum/io/paraview/paraview.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using namespace locum::io;
using tests::message_of;
using tests::says;

template <class Reader>
static vtkSmartPointer<vtkDataSet> read(const std::filesystem::path& file)
{
  vtkNew<Reader> reader;
  reader->SetFileName(file.c_str());
  reader->Update();
  REQUIRE(reader->GetErrorCode() == 0);
  return reader->GetOutput();
}

/// Largest difference between point data "f" and x + 10 y + 100 z at the points as VTK places them.
static double distance_from_linear(vtkDataSet& data)
{
  vtkDataArray* values = data.GetPointData()->GetArray("f");
  REQUIRE(values != nullptr);
  REQUIRE(values->GetNumberOfTuples() == data.GetNumberOfPoints());
  double largest = 0;
  for (vtkIdType i = 0; i < data.GetNumberOfPoints(); ++i) {
    double p[3];
    data.GetPoint(i, p);
    largest = std::max(largest, std::abs(values->GetComponent(i, 0) - (p[0] + 10 * p[1] + 100 * p[2])));
  }
  return largest;
}

/// f = x + 10 y + 100 z at positions [..., dimension], as two members of one component of which the second is meant.
static Field linear(const Tensor& positions)
{
  Tensor f = positions.select(-1, 0).clone();
  if (positions.size(-1) > 1) f += 10 * positions.select(-1, 1);
  if (positions.size(-1) > 2) f += 100 * positions.select(-1, 2);
  return {.values = torch::stack({torch::zeros_like(f), f}).unsqueeze(1), .unit = "Pa"};
}

static Sample sample_on(Domain domain, Field f)
{
  Sample sample;
  sample.domain = std::move(domain);
  sample.fields["f"] = std::move(f);
  return sample;
}

/// f on a grid, from the names of its axes.
static Sample linear_on(const Grid& grid)
{
  Tensor f = torch::zeros(grid.shape(), torch::kFloat64);
  for (std::size_t i = 0; i < grid.axes.size(); ++i) {
    std::vector<std::int64_t> shape(grid.axes.size(), 1);
    shape[i] = -1;
    const double weight = grid.axes[i].name == "x" ? 1 : grid.axes[i].name == "y" ? 10 : 100;
    f = f + weight * grid.coordinates(i).reshape(shape);
  }
  return sample_on(grid, {.values = torch::stack({torch::zeros_like(f), f}).unsqueeze(1), .unit = "Pa"});
}

TEST_CASE("ParaView, uniform grid: x, y and z are where their names say, however stored", "[io][paraview]")
{
  const tests::TemporaryFolder folder;
  const Axis x{.name = "x", .points = 5, .origin = 0.5, .spacing = 0.25};
  const Axis y{.name = "y", .points = 4, .origin = -1, .spacing = 2};
  const Axis z{.name = "z", .points = 3, .origin = 10, .spacing = 1};
  const Axis south{.name = "y", .points = 4, .origin = 60, .spacing = -20};
  const auto axes = GENERATE_COPY(std::vector<Axis>{x}, std::vector<Axis>{y, x}, std::vector<Axis>{x, y},
                                  std::vector<Axis>{z, y, x}, std::vector<Axis>{x, y, z}, std::vector<Axis>{y, z, x},
                                  std::vector<Axis>{x, z}, std::vector<Axis>{south, x});
  const Sample sample = linear_on({axes});

  const auto file = write_paraview(folder / "flow", sample, 1);

  CHECK(file.filename() == "flow.vti");
  const auto data = read<vtkXMLImageDataReader>(file);
  CHECK(data->GetNumberOfPoints() == sample.fields.at("f").values[0].numel());
  CHECK_THAT(distance_from_linear(*data), WithinAbs(0, 1e-12));  // rounding of sums below 10⁴
}

TEST_CASE("ParaView, uniform grid: with other names the last axis is x", "[io][paraview]")
{
  const tests::TemporaryFolder folder;
  const Grid grid{{{.name = "latitude", .points = 2}, {.name = "longitude", .points = 3}}};
  const auto values = torch::arange(6, torch::kFloat64).reshape({1, 1, 2, 3});
  const auto data = read<vtkXMLImageDataReader>(write_paraview(folder / "t", sample_on(grid, {.values = values})));
  int dimensions[3];
  vtkImageData::SafeDownCast(data)->GetDimensions(dimensions);
  CHECK((dimensions[0] == 3 && dimensions[1] == 2 && dimensions[2] == 1));
  CHECK(data->GetPointData()->GetArray("f")->GetComponent(4, 0) == 4);
}

TEST_CASE("ParaView, curvilinear grid, mesh and points: values stay at their positions", "[io][paraview]")
{
  const tests::TemporaryFolder folder;
  const auto s = torch::linspace(0, 1, 4, torch::kFloat64).unsqueeze(1), t = torch::linspace(0, 2, 6, torch::kFloat64);
  const Tensor annulus = torch::stack({(1 + s) * t.cos(), (1 + s) * t.sin()}, -1);  // [y, x, dimension]

  const auto curvilinear = write_paraview(folder / "c", sample_on(CurvilinearGrid{annulus}, linear(annulus)), 1);
  CHECK(curvilinear.extension() == ".vts");
  CHECK_THAT(distance_from_linear(*read<vtkXMLStructuredGridReader>(curvilinear)), WithinAbs(0, 1e-13));

  const auto positions =
      torch::tensor({{0.0, 0.0, 0.0}, {1.0, 0.0, 0.0}, {0.0, 1.0, 0.0}, {0.0, 0.0, 1.0}}, torch::kFloat64);
  const auto scattered = read<vtkXMLUnstructuredGridReader>(
      write_paraview(folder / "p", sample_on(Points{positions}, linear(positions)), 1));
  CHECK(scattered->GetNumberOfCells() == 4);
  CHECK_THAT(distance_from_linear(*scattered), WithinAbs(0, 1e-13));

  const Mesh tetrahedron{
      .vertices = positions, .cells = torch::tensor({{0, 1, 2, 3}}), .kind = Mesh::Cell::tetrahedron, .boundaries = {}};
  const auto mesh = write_paraview(folder / "m", sample_on(tetrahedron, linear(positions)), 1);
  CHECK(mesh.extension() == ".vtu");
  const auto data = read<vtkXMLUnstructuredGridReader>(mesh);
  REQUIRE(data->GetNumberOfCells() == 1);
  CHECK(data->GetCellType(0) == VTK_TETRA);
  CHECK(data->GetCell(0)->GetPointId(3) == 3);
  CHECK_THAT(distance_from_linear(*data), WithinAbs(0, 1e-13));
}

TEST_CASE("ParaView: vectors have three components, values keep every bit, units and scalars go along",
          "[io][paraview]")
{
  const tests::TemporaryFolder folder;
  Sample sample;
  sample.domain = Grid::cell_centres({3, 4}, {1, 1});
  torch::manual_seed(1);
  const auto velocity = torch::randn({1, 2, 3, 4}, torch::kFloat32);
  sample.fields["velocity"] = {.values = velocity, .unit = "m s-1"};
  sample.fields["pressure"] = {.values = torch::randn({1, 1, 3, 4}, torch::kFloat64), .unit = "Pa"};
  sample.scalars["viscosity"] = {.values = torch::full({1}, 1e-3, torch::kFloat64), .unit = "Pa s"};

  const auto data = read<vtkXMLImageDataReader>(write_paraview(folder / "flow", sample));

  auto* const vectors = data->GetPointData()->GetArray("velocity");
  REQUIRE(vectors->GetNumberOfComponents() == 3);
  CHECK(vectors->GetDataType() == VTK_FLOAT);
  for (int i = 0; i < 12; ++i) {
    CHECK(vectors->GetComponent(i, 0) == velocity[0][0][i / 4][i % 4].item<float>());
    CHECK(vectors->GetComponent(i, 1) == velocity[0][1][i / 4][i % 4].item<float>());
    CHECK(vectors->GetComponent(i, 2) == 0);
  }
  auto* const units = vtkStringArray::SafeDownCast(data->GetFieldData()->GetAbstractArray("units"));
  REQUIRE(units != nullptr);
  CHECK(units->GetValue(0) == "pressure: Pa");
  CHECK(units->GetValue(1) == "velocity: m s-1");
  CHECK(units->GetValue(2) == "viscosity: Pa s");
  CHECK(data->GetFieldData()->GetArray("viscosity")->GetComponent(0, 0) == 1e-3);
}

TEST_CASE("ParaView series: the collection lists each time and its file", "[io][paraview]")
{
  const tests::TemporaryFolder folder;
  Sample sample = linear_on(Grid::cell_centres({3, 4}, {1, 1}));
  ParaviewSeries series(folder / "a & b.pvd");
  series.add(0, sample, 1);
  series.add(0.1, sample, 1);

  std::ostringstream text;
  text << std::ifstream(folder / "a & b.pvd").rdbuf();
  CHECK(says(text.str(), {"timestep=\"0\" part=\"0\" file=\"a &amp; b/a &amp; b_0000.vti\"",
                          "timestep=\"0.1\" part=\"0\" file=\"a &amp; b/a &amp; b_0001.vti\"", "</VTKFile>"}));
  CHECK(distance_from_linear(*read<vtkXMLImageDataReader>(folder / "a & b/a & b_0001.vti")) < 1e-13);
}

TEST_CASE("ParaView: what does not fit is named", "[io][paraview][error]")
{
  const tests::TemporaryFolder folder;
  const Sample sample = linear_on(Grid::cell_centres({3, 4}, {1, 1}));
  CHECK(says(message_of([&] { write_paraview(folder / "flow", sample, 2); }), {"found member 2", "expected 0 to 1"}));

  Sample other = sample;
  other.domain = Grid::cell_centres({4, 3}, {1, 1});
  CHECK(says(message_of([&] { write_paraview(folder / "flow", other); }),
             {"flow, field f", "found values on [3, 4]", "expected [4, 3]"}));
}

TEST_CASE("ParaView: a folder that is not there, a full disk: an error, and the old file intact",
          "[io][paraview][error]")
{
  const tests::TemporaryFolder folder;
  const Sample small = linear_on(Grid::cell_centres({3, 4}, {1, 1}));
  CHECK(says(message_of([&] { write_paraview(folder / "none/flow", small); }), {"none/flow.vti", "No such file"}));

  const auto disk = folder / "disk";
  std::filesystem::create_directory(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=64k") != 0) {
    WARN("skipped: only root can make a small disk");
    return;
  }
  const auto file = write_paraview(disk / "flow", small, 1);
  const Sample large = linear_on(Grid::cell_centres({100, 200}, {1, 1}));
  const auto message = message_of([&] { write_paraview(disk / "flow", large, 1); });
  const auto before = read<vtkXMLImageDataReader>(file);
  umount(disk.c_str());
  CHECK(says(message, {"flow.vti", "No space left on device"}));
  CHECK(before->GetNumberOfPoints() == 12);
}
