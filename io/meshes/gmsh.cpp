#include "gmsh.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../atomic_file.hpp"

namespace locum::io {

namespace {

/// What Gmsh calls an element by a number.
struct ElementType {
  int dimension;
  std::int64_t nodes;
  std::optional<Mesh::Cell> cell;  ///< None of what can only be a boundary.
  int order;
};

const std::map<std::int64_t, ElementType>& element_types()
{
  using Cell = Mesh::Cell;
  static const std::map<std::int64_t, ElementType> types = {
      {15, {0, 1, {}, 1}},
      {1, {1, 2, {}, 1}},
      {8, {1, 3, {}, 2}},
      {2, {2, 3, Cell::triangle, 1}},
      {3, {2, 4, Cell::quadrilateral, 1}},
      {9, {2, 6, Cell::quadratic_triangle, 2}},
      {4, {3, 4, Cell::tetrahedron, 1}},
      {5, {3, 8, Cell::hexahedron, 1}},
      {11, {3, 10, Cell::quadratic_tetrahedron, 2}},
  };
  return types;
}

/// The words of a file, one after the other, and where they stand.
class Words {
 public:
  Words(std::string text, std::string file) : text_(std::move(text)), file_(std::move(file)) {}

  [[noreturn]] void refuse(const std::string& found, const std::string& expected, const std::string& advice = "") const
  {
    throw DataError({.doing = "reading a mesh of Gmsh",
                     .where = fmt::format("{} line {}", file_, line_),
                     .found = found,
                     .expected = expected,
                     .advice = advice});
  }

  bool at_end()
  {
    skip_spaces();
    return position_ == text_.size();
  }

  std::string_view word(const char* expected)
  {
    skip_spaces();
    const std::size_t begin = position_;
    while (position_ < text_.size() && !is_space(text_[position_])) ++position_;
    if (begin == position_) refuse("the end of the file", expected, "write the mesh again: it was cut off");
    return std::string_view(text_).substr(begin, position_ - begin);
  }

  std::int64_t integer(const char* expected) { return number<std::int64_t>(expected); }

  double coordinate()
  {
    const double value = number<double>("a coordinate");
    if (!std::isfinite(value)) refuse(fmt::format("{}", value), "a finite coordinate");
    return value;
  }

  /// A number of things that take at least `bytes` characters each: no more than what is left of the file can hold.
  std::int64_t count(const char* expected, std::int64_t bytes)
  {
    const std::int64_t value = integer(expected);
    const auto most = static_cast<std::int64_t>(text_.size() - position_) / bytes;
    if (value < 0 || value > most)
      refuse(fmt::format("{}", value),
             fmt::format("{}, from 0 to the {} that the rest of the file can hold", expected, most),
             "write the mesh again: it was cut off");
    return value;
  }

  std::string quoted()
  {
    skip_spaces();
    const std::size_t end =
        position_ < text_.size() && text_[position_] == '"' ? text_.find('"', position_ + 1) : std::string::npos;
    const std::size_t line_end = text_.find('\n', position_);
    if (end == std::string::npos || end > line_end) refuse("no name in quotes", "the name of a physical group");
    const std::string name = text_.substr(position_ + 1, end - position_ - 1);
    position_ = end + 1;
    return name;
  }

  void skip_line()
  {
    const std::size_t end = text_.find('\n', position_);
    position_ = end == std::string::npos ? text_.size() : end;
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

  void skip_spaces()
  {
    for (; position_ < text_.size() && is_space(text_[position_]); ++position_)
      if (text_[position_] == '\n') ++line_;
  }

  template <class Number>
  Number number(const char* expected)
  {
    const std::string_view text = word(expected);
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return value;
    refuse(fmt::format("\"{}\"", text.substr(0, 40)), expected);
  }

  std::string text_, file_;
  std::size_t position_ = 0;
  std::int64_t line_ = 1;
};

/// What a file says, in its own numbers.
struct Content {
  std::unordered_map<std::int64_t, std::array<double, 3>> nodes;
  struct Element {
    std::int64_t type;
    std::vector<std::int64_t> groups;  // physical ones
    std::vector<std::int64_t> nodes;
  };
  std::vector<Element> elements;
  std::map<std::pair<int, std::int64_t>, std::string> names;                           // by dimension and group
  std::map<std::pair<int, std::int64_t>, std::vector<std::int64_t>> groups_of_entity;  // by dimension and entity
  bool four = false;                                                                   // format 4.1
};

const char* const as_text = "gmsh FILE.msh -save -format msh41 -setnumber Mesh.Binary 0 -o TEXT.msh";

void read_format(Words& words, Content& content)
{
  const std::string version(words.word("the format's version"));
  if (version == "4.1") content.four = true;
  else if (version != "2" && version != "2.0" && version != "2.1" && version != "2.2")
    words.refuse("format " + version.substr(0, 20), "2.2 or 4.1", as_text);
  if (words.integer("0, for a file of text") != 0) words.refuse("a binary file", "one of text", as_text);
  words.integer("the size of a number");
}

void read_names(Words& words, Content& content)
{
  const auto count = words.count("a number of names", 6);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto dimension = static_cast<int>(words.integer("a dimension"));
    const auto group = words.integer("a physical group");
    content.names[{dimension, group}] = words.quoted();
  }
}

/// The entities of the geometry and their physical groups (4.1 alone).
void read_entities(Words& words, Content& content)
{
  std::array<std::int64_t, 4> counts{};
  for (auto& count : counts) count = words.count("a number of entities", 2);
  for (int dimension = 0; dimension < 4; ++dimension)
    for (std::int64_t i = 0; i < counts[static_cast<std::size_t>(dimension)]; ++i) {
      const auto tag = words.integer("an entity");
      for (int k = 0; k < (dimension == 0 ? 3 : 6); ++k) words.coordinate();
      const auto groups = words.count("a number of physical groups", 2);
      for (std::int64_t k = 0; k < groups; ++k)
        content.groups_of_entity[{dimension, tag}].push_back(std::abs(words.integer("a physical group")));
      if (dimension == 0) continue;
      const auto bounds = words.count("a number of bounding entities", 2);
      for (std::int64_t k = 0; k < bounds; ++k) words.integer("an entity");
    }
}

void read_nodes(Words& words, Content& content)
{
  const auto put = [&](std::int64_t tag) {
    std::array<double, 3> x{};
    for (double& value : x) value = words.coordinate();
    if (!content.nodes.emplace(tag, x).second) words.refuse(fmt::format("node {} again", tag), "each node once");
  };
  if (!content.four) {
    const auto count = words.count("a number of nodes", 8);
    for (std::int64_t i = 0; i < count; ++i) put(words.integer("the number of a node"));
    return;
  }
  const auto blocks = words.count("a number of blocks", 8);
  for (int i = 0; i < 3; ++i) words.integer("a number of nodes");
  for (std::int64_t block = 0; block < blocks; ++block) {
    const auto dimension = words.integer("a dimension");
    words.integer("an entity");
    const bool parametric = words.integer("0 or 1") != 0;
    const auto count = words.count("a number of nodes", 8);
    std::vector<std::int64_t> tags;
    for (std::int64_t i = 0; i < count; ++i) tags.push_back(words.integer("the number of a node"));
    for (const std::int64_t tag : tags) {
      put(tag);
      for (std::int64_t k = 0; parametric && k < std::min<std::int64_t>(dimension, 3); ++k) words.coordinate();
    }
  }
}

const ElementType& type_of(Words& words, std::int64_t type)
{
  const auto found = element_types().find(type);
  if (found == element_types().end())
    words.refuse(fmt::format("elements of Gmsh's type {}", type),
                 "points, lines, triangles, quadrilaterals, tetrahedra or hexahedra of order 1; lines, triangles or "
                 "tetrahedra of order 2",
                 "gmsh -order 1 or 2, without prisms or pyramids");
  return found->second;
}

void read_elements(Words& words, Content& content)
{
  const auto put = [&](std::int64_t type, std::vector<std::int64_t> groups) {
    Content::Element element{.type = type, .groups = std::move(groups), .nodes = {}};
    for (std::int64_t i = 0; i < type_of(words, type).nodes; ++i) {
      element.nodes.push_back(words.integer("the number of a node"));
      if (!content.nodes.contains(element.nodes.back()))
        words.refuse(fmt::format("node {}", element.nodes.back()), "one of the nodes above");
    }
    content.elements.push_back(std::move(element));
  };
  if (!content.four) {
    const auto count = words.count("a number of elements", 8);
    for (std::int64_t i = 0; i < count; ++i) {
      words.integer("the number of an element");
      const auto type = words.integer("an element's type");
      const auto tags = words.count("a number of tags", 2);
      std::vector<std::int64_t> groups;
      for (std::int64_t k = 0; k < tags; ++k) {
        const auto tag = words.integer("a tag");
        if (k == 0 && tag != 0) groups.push_back(tag);  // the first is the physical group, 0 for none
      }
      put(type, std::move(groups));
    }
    return;
  }
  const auto blocks = words.count("a number of blocks", 8);
  for (int i = 0; i < 3; ++i) words.integer("a number of elements");
  for (std::int64_t block = 0; block < blocks; ++block) {
    const auto dimension = static_cast<int>(words.integer("a dimension"));
    const auto entity = words.integer("an entity");
    const auto type = words.integer("an element's type");
    const auto count = words.count("a number of elements", 4);
    const auto groups = content.groups_of_entity.find({dimension, entity});
    for (std::int64_t i = 0; i < count; ++i) {
      words.integer("the number of an element");
      put(type, groups == content.groups_of_entity.end() ? std::vector<std::int64_t>{} : groups->second);
    }
  }
}

Content read_content(Words& words)
{
  Content content;
  bool formatted = false;
  while (!words.at_end()) {
    const std::string section(words.word("a section"));
    if (!section.starts_with('$')) words.refuse(fmt::format("\"{}\"", section.substr(0, 40)), "a section: $Nodes …");
    if (!formatted && section != "$MeshFormat" && section != "$Comments")
      words.refuse(section.substr(0, 40), "$MeshFormat first");
    if (section == "$MeshFormat") {
      read_format(words, content);
      formatted = true;
    } else if (section == "$PhysicalNames") read_names(words, content);
    else if (section == "$Entities" && content.four) read_entities(words, content);
    else if (section == "$Nodes") read_nodes(words, content);
    else if (section == "$Elements") read_elements(words, content);
    else {
      const std::string end = "$End" + section.substr(1);
      while (words.word(end.c_str()) != end) {
      }
      continue;
    }
    const std::string end = "$End" + section.substr(1);
    if (const auto found = words.word(end.c_str()); found != end)
      words.refuse(fmt::format("\"{}\"", found.substr(0, 40)), end);
  }
  return content;
}

/// An order of nodes that is VTK's: of quadratic tetrahedra Gmsh has the last two edges the other way round.
std::vector<std::int64_t> in_order(const Content::Element& element)
{
  auto nodes = element.nodes;
  if (element.type == 11) std::swap(nodes[8], nodes[9]);
  return nodes;
}

Tensor table(const std::vector<std::vector<std::int64_t>>& rows, std::int64_t columns)
{
  std::vector<std::int64_t> flat;
  for (const auto& row : rows) flat.insert(flat.end(), row.begin(), row.end());
  return torch::tensor(flat, torch::kInt64).view({-1, columns});
}

Mesh mesh_from(const Content& content, const Words& words)
{
  int dimension = 0;
  for (const auto& element : content.elements)
    dimension = std::max(dimension, element_types().at(element.type).dimension);
  if (dimension < 2) words.refuse("no cells", "triangles, tetrahedra … in $Elements", "gmsh -2 or -3 makes them");

  std::optional<std::int64_t> kind;
  std::vector<std::vector<std::int64_t>> cells;
  std::unordered_map<std::int64_t, std::int64_t> numbers;
  std::vector<double> positions;
  const auto number = [&](std::int64_t node) {
    const auto [found, added] = numbers.emplace(node, static_cast<std::int64_t>(numbers.size()));
    if (added) {
      const auto& x = content.nodes.at(node);
      positions.insert(positions.end(), x.begin(), x.end());
    }
    return found->second;
  };
  for (const auto& element : content.elements) {
    if (element_types().at(element.type).dimension != dimension) continue;
    if (kind.value_or(element.type) != element.type)
      words.refuse(fmt::format("cells of Gmsh's types {} and {}", *kind, element.type), "cells of one kind",
                   "a mesh of triangles or tetrahedra alone, in Gmsh");
    kind = element.type;
    auto nodes = in_order(element);
    for (auto& node : nodes) node = number(node);
    cells.push_back(std::move(nodes));
  }
  const ElementType& type = element_types().at(*kind);
  Mesh mesh;
  mesh.kind = *type.cell;
  mesh.cells = table(cells, type.nodes);
  mesh.vertices = torch::tensor(positions, torch::kFloat64).view({-1, 3});
  if (dimension == 2) {
    const Tensor z = mesh.vertices.select(1, 2);
    const double size = (mesh.vertices - mesh.vertices[0]).abs().max().item<double>();
    if ((z - z[0]).abs().max().item<double>() > 1e-9 * size)
      words.refuse("a curved surface in space", "a mesh in a plane z = const, or of volumes", "gmsh -3");
    mesh.vertices = mesh.vertices.narrow(1, 0, 2).contiguous();
  }

  std::map<std::string, std::vector<std::vector<std::int64_t>>> boundaries;
  std::int64_t corners = 0;
  for (const auto& element : content.elements) {
    const ElementType& own = element_types().at(element.type);
    if (own.dimension != dimension - 1 || element.groups.empty()) continue;
    if (own.order != type.order || (corners != 0 && corners != own.nodes))
      words.refuse("sides of another kind than those of the cells", "sides of one kind");
    corners = own.nodes;
    auto nodes = element.nodes;
    for (auto& node : nodes) {
      const auto found = numbers.find(node);
      if (found == numbers.end())
        words.refuse(fmt::format("node {} of a boundary, which is in no cell", node), "boundaries of the cells");
      node = found->second;
    }
    for (const std::int64_t group : element.groups) {
      const auto name = content.names.find({own.dimension, group});
      boundaries[name == content.names.end() ? fmt::format("{}", group) : name->second].push_back(nodes);
    }
  }
  for (const auto& [name, facets] : boundaries) mesh.boundaries[name] = table(facets, corners);
  return mesh;
}

}  // namespace

Mesh read_gmsh(const std::filesystem::path& file)
{
  std::error_code none;
  std::ifstream stream;
  if (std::filesystem::is_regular_file(file, none)) stream.open(file, std::ios::binary);  // opening a pipe would wait
  if (!stream.is_open())
    throw SystemError({.doing = "reading a mesh of Gmsh",
                       .where = file.string(),
                       .found = none ? none.message() : "no regular file that can be read",
                       .expected = "a file in Gmsh's format",
                       .advice = ""});
  Words words(std::string(std::istreambuf_iterator<char>(stream), {}), file.string());
  if (words.at_end()) words.refuse("an empty file", "$MeshFormat");
  return mesh_from(read_content(words), words);
}

}  // namespace locum::io
