#include "paraview.hpp"

#include <fmt/format.h>
#include <vtkCellArray.h>
#include <vtkCellType.h>
#include <vtkDoubleArray.h>
#include <vtkErrorCode.h>
#include <vtkFieldData.h>
#include <vtkFloatArray.h>
#include <vtkImageData.h>
#include <vtkNew.h>
#include <vtkPointData.h>
#include <vtkPoints.h>
#include <vtkSmartPointer.h>
#include <vtkStringArray.h>
#include <vtkStructuredGrid.h>
#include <vtkTypeInt64Array.h>
#include <vtkUnstructuredGrid.h>
#include <vtkXMLImageDataWriter.h>
#include <vtkXMLStructuredGridWriter.h>
#include <vtkXMLUnstructuredGridWriter.h>
#include <locum/core/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <span>

#include "../atomic_file.hpp"

namespace locum::io {

static const char* const doing = "writing a file for ParaView";

/// Values [tuple, component] as a VTK array, copied once.
template <class Array, class Number>
static vtkSmartPointer<vtkDataArray> copied(const Tensor& values)
{
  const auto array = vtkSmartPointer<Array>::New();
  array->SetNumberOfComponents(static_cast<int>(values.size(1)));
  array->SetNumberOfTuples(values.size(0));
  const Tensor source = values.to(torch::kCPU, c10::CppTypeToScalarType<Number>::value).contiguous();
  std::copy_n(source.data_ptr<Number>(), source.numel(), array->GetPointer(0));
  return array;
}

static vtkSmartPointer<vtkDataArray> array_of(const Tensor& values)
{
  if (!values.is_floating_point()) return copied<vtkTypeInt64Array, std::int64_t>(values);
  if (values.scalar_type() == torch::kFloat64) return copied<vtkDoubleArray, double>(values);
  return copied<vtkFloatArray, float>(values);
}

/// [point, component] with zeros up to three components.
static Tensor padded(const Tensor& values) { return torch::constant_pad_nd(values, {0, 3 - values.size(1)}); }

static vtkSmartPointer<vtkPoints> points_at(const Tensor& positions)
{
  const auto points = vtkSmartPointer<vtkPoints>::New();
  points->SetData(array_of(padded(positions.reshape({-1, positions.size(-1)}).to(torch::kFloat64))));
  return points;
}

/// Where each stored axis of a uniform grid goes: 0, 1, 2 for ParaView's x, y, z.
static std::vector<int> directions(const Grid& grid)
{
  std::vector<int> by_name, by_order;
  for (std::size_t i = 0; i < grid.axes.size(); ++i) {
    by_order.push_back(static_cast<int>(grid.axes.size() - 1 - i));
    for (const int d : {0, 1, 2})
      if (grid.axes[i].name == std::array{"x", "y", "z"}[d] && std::count(by_name.begin(), by_name.end(), d) == 0)
        by_name.push_back(d);
  }
  return by_name.size() == grid.axes.size() ? by_name : by_order;
}

namespace {

/// A data set of VTK without its fields, the writer for it, and how tensors are laid out along its points.
struct Canvas {
  vtkSmartPointer<vtkDataSet> data;
  vtkSmartPointer<vtkXMLWriter> writer;
  std::function<Tensor(const Tensor&)> in_order;  // [component, (z, y,) x] → points in VTK's order, components last
};

Tensor components_last(const Tensor& values) { return values.movedim(0, -1); }

struct MakeCanvas {
  Canvas operator()(const Grid& grid) const
  {
    const auto where = directions(grid);
    std::array<int, 3> points = {1, 1, 1};
    std::array<double, 3> origin = {0, 0, 0}, spacing = {1, 1, 1};
    std::vector<std::int64_t> backward;  // ParaView wants positive spacing: latitudes from north to south are turned
    std::vector<std::pair<int, std::int64_t>> slowest_first;
    for (std::size_t i = 0; i < grid.axes.size(); ++i) {
      const Axis& axis = grid.axes[i];
      const auto dimension = static_cast<std::int64_t>(i) + 1;  // after the component
      const bool turned = axis.spacing < 0;
      if (turned) backward.push_back(dimension);
      points[where[i]] = static_cast<int>(axis.points);
      spacing[where[i]] = std::abs(axis.spacing);
      origin[where[i]] = axis.origin + (turned ? axis.spacing * static_cast<double>(axis.points - 1) : 0);
      slowest_first.emplace_back(-where[i], dimension);
    }
    std::sort(slowest_first.begin(), slowest_first.end());
    std::vector<std::int64_t> order;
    for (const auto& [direction, dimension] : slowest_first) order.push_back(dimension);
    order.push_back(0);

    const auto image = vtkSmartPointer<vtkImageData>::New();
    image->SetDimensions(points.data());
    image->SetOrigin(origin.data());
    image->SetSpacing(spacing.data());
    return {image, vtkSmartPointer<vtkXMLImageDataWriter>::New(),
            [=](const Tensor& values) { return values.flip(backward).permute(order); }};
  }

  Canvas operator()(const CurvilinearGrid& curvilinear) const
  {
    const auto shape = shape_of(curvilinear);
    std::array<int, 3> points = {1, 1, 1};
    std::copy(shape.rbegin(), shape.rend(), points.begin());
    const auto grid = vtkSmartPointer<vtkStructuredGrid>::New();
    grid->SetDimensions(points.data());
    grid->SetPoints(points_at(curvilinear.positions));
    return {grid, vtkSmartPointer<vtkXMLStructuredGridWriter>::New(), components_last};
  }

  Canvas operator()(const Mesh& mesh) const
  {
    static const std::map<Mesh::Cell, int> types = {{Mesh::Cell::triangle, VTK_TRIANGLE},
                                                    {Mesh::Cell::quadrilateral, VTK_QUAD},
                                                    {Mesh::Cell::tetrahedron, VTK_TETRA},
                                                    {Mesh::Cell::hexahedron, VTK_HEXAHEDRON},
                                                    {Mesh::Cell::quadratic_triangle, VTK_QUADRATIC_TRIANGLE},
                                                    {Mesh::Cell::quadratic_tetrahedron, VTK_QUADRATIC_TETRA}};
    return unstructured(mesh.vertices, mesh.cells, types.at(mesh.kind));
  }

  Canvas operator()(const Points& points) const
  {
    const auto alone = torch::arange(points.positions.size(0)).unsqueeze(1);
    return unstructured(points.positions, alone, VTK_VERTEX);  // ParaView draws cells only
  }

  static Canvas unstructured(const Tensor& positions, const Tensor& corners, int type)
  {
    const auto offsets = torch::arange(corners.size(0) + 1).unsqueeze(1) * corners.size(1);
    vtkNew<vtkCellArray> cells;
    cells->SetData(vtkTypeInt64Array::SafeDownCast(array_of(offsets)),
                   vtkTypeInt64Array::SafeDownCast(array_of(corners.reshape({-1, 1}))));
    const auto grid = vtkSmartPointer<vtkUnstructuredGrid>::New();
    grid->SetPoints(points_at(positions));
    grid->SetCells(type, cells);
    return {grid, vtkSmartPointer<vtkXMLUnstructuredGridWriter>::New(), components_last};
  }
};

}  // namespace

bool paraview_available() { return true; }

std::filesystem::path write_paraview(const std::filesystem::path& stem, const Sample& sample, std::int64_t member)
{
  if (member < 0 || member >= sample.batch())
    throw ShapeError({.doing = doing,
                      .where = stem.string(),
                      .found = fmt::format("member {}", member),
                      .expected = fmt::format("0 to {}", sample.batch() - 1),
                      .advice = ""});
  const Canvas canvas = std::visit(MakeCanvas{}, sample.domain);
  const auto domain_shape = shape_of(sample.domain);

  vtkNew<vtkStringArray> units;
  units->SetName("units");
  for (const auto& [name, field] : sample.fields) {
    const Tensor values = field.values[member].detach();
    if (values.sizes().slice(1) != torch::IntArrayRef(domain_shape))
      throw ShapeError({.doing = doing,
                        .where = fmt::format("{}, field {}", stem.string(), name),
                        .found = fmt::format("values on {}", to_string(values.sizes().slice(1))),
                        .expected = to_string(domain_shape) + ", as the domain has",
                        .advice = ""});
    const Tensor tuples = canvas.in_order(values).reshape({-1, values.size(0)});
    const auto array = array_of(values.size(0) == 2 ? padded(tuples) : tuples);
    array->SetName(name.c_str());
    canvas.data->GetPointData()->AddArray(array);
    units->InsertNextValue(fmt::format("{}: {}", name, field.unit));
  }
  for (const auto& [name, scalar] : sample.scalars) {
    const auto array = array_of(scalar.values[member].detach().reshape({1, 1}));
    array->SetName(name.c_str());
    canvas.data->GetFieldData()->AddArray(array);
    units->InsertNextValue(fmt::format("{}: {}", name, scalar.unit));
  }
  canvas.data->GetFieldData()->AddArray(units);

  // Into memory first: VTK reports success on a full disk.
  canvas.writer->SetInputData(canvas.data);
  canvas.writer->SetDataModeToAppended();
  canvas.writer->EncodeAppendedDataOff();
  canvas.writer->SetCompressorTypeToNone();
  canvas.writer->SetHeaderTypeToUInt64();
  canvas.writer->WriteToOutputStringOn();
  auto file = stem;
  file += fmt::format(".{}", canvas.writer->GetDefaultFileExtension());
  if (canvas.writer->Write() != 1 || canvas.writer->GetErrorCode() != vtkErrorCode::NoError)
    throw SystemError({.doing = doing,
                       .where = file.string(),
                       .found = fmt::format("error {} of VTK", canvas.writer->GetErrorCode()),
                       .expected = "VTK to format it in memory",
                       .advice = ""});
  const std::string text = canvas.writer->GetOutputString();
  write_atomically(file, std::as_bytes(std::span(text)));
  return file;
}

}  // namespace locum::io
