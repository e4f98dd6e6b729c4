#include <locum/io/meshes/gmsh.hpp>

#include <fstream>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using tests::message_of;
using tests::says;

namespace {

Mesh read(const std::string& text)
{
  const tests::TemporaryFolder folder;
  std::ofstream(folder / "part.msh", std::ios::binary) << text;
  return io::read_gmsh(folder / "part.msh");
}

std::string replaced(std::string text, const std::string& old, const std::string& by)
{
  const auto at = text.find(old);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old.size(), by);
}

// A square of two triangles, its left side "wall", its right side without a name; node 9 is the centre of nothing.
const std::string square_2_2 = R"($MeshFormat
2.2 0 8
$EndMeshFormat
$PhysicalNames
2
1 1 "wall"
2 7 "the body"
$EndPhysicalNames
$Nodes
5
1 0 0 0
2 1 0 0
9 5 5 0
3 1 2 0
4 0 2 0
$EndNodes
$Elements
5
1 15 2 0 1 9
2 1 2 1 4 4 1
3 1 2 5 2 2 3
4 2 2 7 1 1 2 3
5 2 2 7 1 1 3 4
$EndElements
)";

// The same in 4.1; Gmsh writes more sections than are read.
const std::string square_4_1 = R"($MeshFormat
4.1 0 8
$EndMeshFormat
$PhysicalNames
2
1 1 "wall"
2 7 "the body"
$EndPhysicalNames
$Entities
1 2 1 0
1 0 0 0 0
4 0 0 0 0 2 0 1 1 2 4 -1
2 1 0 0 1 2 0 1 5 2 2 -3
1 0 0 0 1 2 0 1 7 4 1 2 3 4
$EndEntities
$Nodes
2 4 1 4
1 4 1 2
4
1
0 2 0 0.5
0 0 0 0.25
2 1 0 2
2
3
1 0 0
1 2 0
$EndNodes
$Elements
3 4 1 5
1 4 1 1
2 4 1
1 2 1 1
3 2 3
2 1 2 2
4 1 2 3
5 1 3 4
$EndElements
$Periodic
0
$EndPeriodic
)";

}  // namespace

TEST_CASE("Gmsh: both formats give the same mesh", "[io]")
{
  for (const std::string& text : {square_2_2, square_4_1}) {
    const Mesh mesh = read(text);
    CHECK(mesh.kind == Mesh::Cell::triangle);
    CHECK(torch::equal(mesh.cells, torch::tensor({{0, 1, 2}, {0, 2, 3}}, torch::kInt64)));
    CHECK(torch::equal(mesh.vertices, torch::tensor({{0., 0.}, {1., 0.}, {1., 2.}, {0., 2.}}, torch::kFloat64)));
    REQUIRE(mesh.boundaries.size() == 2);
    CHECK(torch::equal(mesh.boundaries.at("wall"), torch::tensor({{3, 0}}, torch::kInt64)));
    CHECK(torch::equal(mesh.boundaries.at("5"), torch::tensor({{1, 2}}, torch::kInt64)));
  }
}

TEST_CASE("Gmsh: quadratic tetrahedra get VTK's order of edges", "[io]")
{
  const Mesh mesh = read(R"($MeshFormat
2.2 0 8
$EndMeshFormat
$Nodes
10
1 0 0 0
2 2 0 0
3 0 2 0
4 0 0 2
5 1 0 0
6 1 1 0
7 0 1 0
8 0 0 1
9 0 1 1
10 1 0 1
$EndNodes
$Elements
2
1 9 2 3 1 1 3 2 7 6 5
2 11 2 0 1 1 2 3 4 5 6 7 8 9 10
$EndElements
)");
  CHECK(mesh.kind == Mesh::Cell::quadratic_tetrahedron);
  const std::vector<std::pair<int, int>> edges = {{0, 1}, {1, 2}, {2, 0}, {0, 3}, {1, 3}, {2, 3}};
  for (std::size_t i = 0; i < edges.size(); ++i) {
    const auto at = [&](std::size_t corner) {
      return mesh.vertices[mesh.cells[0][std::int64_t(corner)].item<std::int64_t>()];
    };
    CHECK(torch::equal(at(4 + i), (at(std::size_t(edges[i].first)) + at(std::size_t(edges[i].second))) / 2));
  }
  CHECK(mesh.boundaries.at("3").sizes() == torch::IntArrayRef({1, 6}));
}

TEST_CASE("Gmsh: a file that ends anywhere is refused, and no byte makes it crash", "[io][error]")
{
  for (const std::string& text : {square_2_2, square_4_1}) {
    const auto last = text.find("$EndElements");
    for (std::size_t length = 0; length < last; ++length) CHECK_THROWS_AS(read(text.substr(0, length)), DataError);
    for (std::size_t at = 0; at < text.size(); ++at)
      for (const char c : {'9', '-', ' ', '$', '\0'}) {
        std::string changed = text;
        changed[at] = c;
        try {
          read(changed);
        } catch (const DataError&) {
        }
      }
  }
}

TEST_CASE("Gmsh: what is wrong is said with its line", "[io][error]")
{
  const auto message = [](const std::string& text) { return message_of([&] { read(text); }); };
  CHECK(says(message(replaced(square_2_2, "2.2 0 8", "2.2 1 8")), {"line 2", "a binary file", "Mesh.Binary 0"}));
  CHECK(says(message(replaced(square_2_2, "2.2 0 8", "4 0 8")), {"format 4", "2.2 or 4.1", "-format msh41"}));
  CHECK(says(message(replaced(square_2_2, "9 5 5 0", "9 nan 5 0")), {"line 13", "nan", "a finite coordinate"}));
  CHECK(says(message(replaced(square_2_2, "9 5 5 0", "9 5 x 0")), {"line 13", "\"x\"", "a coordinate"}));
  CHECK(says(message(replaced(square_2_2, "9 5 5 0", "2 5 5 0")), {"node 2 again"}));
  CHECK(says(message(replaced(square_2_2, "1 1 2 3\n", "1 1 2 8\n")), {"line 22", "node 8"}));
  CHECK(says(message(replaced(square_2_2, "4 2 2 7 1 1 2 3", "4 3 2 7 1 1 2 3 4")), {"types 3 and 2", "one kind"}));
  CHECK(says(message(replaced(square_2_2, "4 2 2 7", "4 6 2 7")), {"type 6", "prisms"}));
  CHECK(says(message(replaced(square_2_2, "$Nodes\n5", "$Nodes\n5000000000000")),
             {"line 10", "5000000000000", "cut off"}));
  CHECK(says(message(replaced(square_2_2, "3 1 2 0", "3 1 2 1")), {"a curved surface in space"}));
  CHECK(says(message(replaced(square_2_2, "\"wall\"", "wall")), {"line 6", "no name in quotes"}));
  CHECK(says(message(replaced(square_2_2, "1 4 4 1\n", "1 4 4 9\n")), {"node 9 of a boundary"}));
  CHECK(says(message("\x89HDF\r\n"), {"line 1", "a section"}));
  CHECK(says(message(""), {"an empty file"}));
  CHECK(says(message_of([] { io::read_gmsh("/nonexistent.msh"); }), {"/nonexistent.msh"}));
}
