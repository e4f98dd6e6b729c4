#include "xdmf.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "xml_text.hpp"

namespace locum::io {

/// Extents of three axes, those that a grid lacks being 1.
static std::vector<std::int64_t> in_space(std::vector<std::int64_t> points)
{
  points.insert(points.begin(), 3 - points.size(), 1);
  return points;
}

/// The values of one sample at one step: where they are, and how many along each of `axes`.
static std::string data_item(const std::string& file, const StoredRows& array, const std::vector<std::int64_t>& axes,
                             std::int64_t sample, std::int64_t step)
{
  std::vector<std::int64_t> start(array.shape.size(), 0), stride(array.shape.size(), 1), count = array.shape;
  start[0] = sample;
  count[0] = 1;
  std::int64_t row = sample;
  if (array.time_varying) {
    start[1] = step;
    count[1] = 1;
    row = sample * array.shape[1] + step;
  }
  const auto values = std::accumulate(count.begin(), count.end(), std::int64_t{1}, std::multiplies<>());
  const auto seek = array.offset + row * values * array.value_bytes;
  const auto item = [&](const std::string& place, const std::string& format) {
    return fmt::format(R"(<DataItem Dimensions="{}" NumberType="Float" Precision="{}" {}>{}</DataItem>)",
                       fmt::join(axes, " "), array.value_bytes, format, xml_text(place));
  };
  if (seek <= std::numeric_limits<std::uint32_t>::max())
    return item(file, fmt::format(R"(Format="Binary" Endian="Little" Seek="{}")", seek));
  return item(fmt::format("{}:/{}|{}:{}:{}:{}", file, array.path, fmt::join(start, " "), fmt::join(stride, " "),
                          fmt::join(count, " "), fmt::join(array.shape, " ")),
              R"(Format="HDF")");
}

static std::string attribute(const std::string& file, const StoredRows& array, const Grid& grid, std::int64_t sample,
                             std::int64_t step)
{
  const std::string name = array.unit == "1" ? array.name : fmt::format("{} [{}]", array.name, array.unit);
  std::vector<std::int64_t> axes = {1};
  const char* type = "Scalar";
  if (array.components > 0) axes = in_space(grid.shape());
  if (array.components > 1) {
    axes.push_back(array.components);
    type = array.components <= 3 ? "Vector" : array.components == 9 ? "Tensor" : "Matrix";
  }
  return fmt::format(R"(<Attribute Name="{}" AttributeType="{}" Center="{}">{}</Attribute>)", xml_text(name), type,
                     array.components > 0 ? "Node" : "Grid", data_item(file, array, axes, sample, step)) +
         "\n";
}

/// Topology and geometry of the grid.
static std::string lattice(const Grid& grid)
{
  std::vector<double> origin(3 - grid.axes.size(), 0), spacing(3 - grid.axes.size(), 1);
  for (const Axis& axis : grid.axes) {
    origin.push_back(axis.origin);
    spacing.push_back(axis.spacing);
  }
  const auto numbers = [](const std::vector<double>& values) {
    return fmt::format(R"(<DataItem Dimensions="3" NumberType="Float" Precision="8" Format="XML">{}</DataItem>)",
                       fmt::join(values, " "));
  };
  return fmt::format(R"(<Topology TopologyType="3DCoRectMesh" Dimensions="{}"/>)",
                     fmt::join(in_space(grid.shape()), " ")) +
         fmt::format("\n<Geometry GeometryType=\"ORIGIN_DXDYDZ\">{}{}</Geometry>\n", numbers(origin), numbers(spacing));
}

std::string xdmf_of(const std::string& file, const Grid& grid, const std::vector<double>& times, std::int64_t samples,
                    const std::vector<StoredRows>& arrays)
{
  constexpr std::int64_t pictures = 1000;
  const auto steps = static_cast<std::int64_t>(times.size());
  const std::int64_t shown = std::min(samples, std::max<std::int64_t>(1, pictures / steps));
  const double step = steps > 1 ? times[1] - times[0] : 1, period = times.back() - times.front() + step;
  const std::string space = lattice(grid);
  std::string text = "<?xml version=\"1.0\"?>\n<Xdmf Version=\"3.0\"><Domain>\n";
  text += fmt::format("<Grid Name=\"{}\" GridType=\"Collection\" CollectionType=\"Temporal\">\n", xml_text(file));
  for (std::int64_t sample = 0; sample < shown; ++sample)
    for (std::int64_t i = 0; i < steps; ++i) {
      const double time = times[static_cast<std::size_t>(i)] + static_cast<double>(sample) * period;
      text +=
          fmt::format("<Grid Name=\"sample {} step {}\" GridType=\"Uniform\"><Time Value=\"{}\"/>\n", sample, i, time);
      text += space;
      for (const StoredRows& array : arrays) text += attribute(file, array, grid, sample, i);
      text += "</Grid>\n";
    }
  return text + "</Grid>\n</Domain></Xdmf>\n";
}

}  // namespace locum::io
