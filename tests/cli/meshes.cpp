#include "command.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum::tests;
namespace fs = std::filesystem;

static const char* const specimens = R"([equation]
name = "elasticity"
[generate]
samples = 3
test_samples = 1
cells = [4]
)";

TEST_CASE("meshes: specimens are generated, shown and solved again", "[cli]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml", specimens);
  const auto made = command({"generate", "case.toml", "--output", "run"}, folder.path());
  CHECK(made.status == 0);
  CHECK(says(made.text, {"train.h5: 3 samples", "test.h5: 1 samples"}));
  CHECK(says(bytes_of(folder / "run/data/train.pvd"), {"train/train_0002.vtu"}));
  CHECK(says(bytes_of(folder / "run/data/train/train_0000.vtu"), {"\"displacement\"", "\"von_mises\""}));
  const std::string bytes = bytes_of(folder / "run/data/train.h5");

  const auto shown = command({"info", "run/data/train.h5"}, folder.path());
  CHECK(shown.status == 0);
  CHECK(says(shown.text, {"3 samples, 3 meshes", "quadratic_triangle in 2 dimensions", "hole, left, right, sides",
                          "von_mises", "in Pa", "radius_y", "name = \"elasticity\""}));
  const auto solved =
      command({"solve", "case.toml", "--input", "run/data/train.h5", "--sample", "1", "--output", "s"}, folder.path());
  CHECK(solved.status == 0);
  CHECK(says(solved.text, {"elasticity by finite elements, PETSc cg + gamg: ", "solve_0001.vtu"}));

  // The same file on two ranks, but for rounding none: each sample is solved by one of them.
  fs::remove(folder / "run/data/train.h5");
  CHECK(command({"generate", "case.toml", "--output", "run"}, folder.path(), 2).status == 0);
  CHECK(bytes_of(folder / "run/data/train.h5") == bytes);
  // Other options are refused, and so is training on it.
  const auto other =
      command({"generate", "case.toml", "--output", "run", "--set", "equation.tension=1"}, folder.path());
  CHECK(other.status == 1);
  CHECK(says(other.text, {"tension"}));
  const auto train = command({"train", "case.toml", "--output", "run"}, folder.path());
  CHECK(train.status == 1);
  CHECK(says(train.text, {"samples on meshes", "samples on grids"}));
}

TEST_CASE("meshes: a mesh of Gmsh is solved on", "[cli]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml", specimens);
  write_text(folder / "part.msh", R"($MeshFormat
2.2 0 8
$EndMeshFormat
$PhysicalNames
2
1 1 "wall"
1 2 "end"
$EndPhysicalNames
$Nodes
4
1 0 0 0
2 1 0 0
3 1 1 0
4 0 1 0
$EndNodes
$Elements
4
1 1 2 1 4 4 1
2 1 2 2 2 2 3
3 2 2 7 1 1 2 3
4 2 2 7 1 1 3 4
$EndElements
)");
  const Words solve = {"solve", "case.toml", "--input", "part.msh", "--output", "s", "--set", "equation.clamped=wall"};
  auto with_end = solve;
  with_end.emplace_back("--set");
  with_end.emplace_back("equation.pulled=end");
  const auto solved = command(with_end, folder.path());
  CHECK(solved.status == 0);
  CHECK(says(solved.text, {"relative residual ", "solve_0000.vtu"}));
  const auto refused = command(solve, folder.path());
  CHECK(refused.status == 1);
  CHECK(says(refused.text, {"no boundary \"right\"", "one of end, wall"}));
}

TEST_CASE("meshes: specimens as pictures go through all steps", "[cli]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml", R"([equation]
name = "tensile_plate"
across = 4
[generate]
samples = 10
test_samples = 3
cells = [12, 24]
[data]
mask = "missing"
[model]
modes = [3, 4]
width = 4
layers = 2
[training]
epochs = 2
batch = 5
loss_channels = [1.0, 1.0, 1.0]
[evaluate]
timed = 2
shown = 1
)");
  const auto run = command({"run", "case.toml", "--output", "run"}, folder.path());
  CHECK(run.status == 0);
  CHECK(says(run.text, {"train.h5: 10 samples", "epoch    2/2", "relative L2 error ", "reference solver"}));
  CHECK(run.text.find("nan") == std::string::npos);
  const auto compared = command({"solve", "case.toml", "--with", "run", "--compare", "--output", "run"}, folder.path());
  CHECK(compared.status == 0);
  CHECK(says(compared.text, {"displacement: relative L2 error ", "von_mises: relative L2 error "}));
  CHECK(compared.text.find("nan") == std::string::npos);
}
