#include "command.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum::tests;

TEST_CASE("a channel's flows: from random obstacles to streamlines", "[cli]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml",
             "[equation]\nname = \"channel_flow\"\n"
             "[generate]\nsamples = 6\ntest_samples = 2\ncells = [16, 32]\n"
             "[model]\nname = \"fourier\"\nmodes = [4, 4]\nwidth = 4\nlayers = 2\n"
             "[training]\nepochs = 1\nbatch = 2\n");
  const auto run = command({"run", "case.toml", "--output", "run"}, folder.path());
  CAPTURE(run.text);
  REQUIRE(run.status == 0);
  CHECK(says(run.text, {"relative L2 error", "reference solver"}));
  const auto info = command({"info", "run/data/train.h5"}, folder.path());
  CHECK(says(info.text, {"obstacle_distance", "wall_distance", "fluid", "velocity", "m s-1", "face_velocity",
                         "pressure", "m2 s-2", "iterations", "relative_residual"}));
  const auto solve = command({"solve", "case.toml", "--with", "run", "--compare", "--output", "run"}, folder.path());
  CHECK(solve.status == 0);
  CHECK(says(solve.text, {"channel_flow, PETSc newtonls + lu: ", "velocity: relative L2 error"}));
  const auto fieldsplit = command({"solve", "case.toml", "--with", "reference", "--output", "s", "--petsc",
                                   "-snes_rtol 1e-8 -ksp_type fgmres -ksp_rtol 1e-6 -pc_type fieldsplit "
                                   "-pc_fieldsplit_type schur -pc_fieldsplit_0_fields 0,1 -pc_fieldsplit_1_fields 2 "
                                   "-pc_fieldsplit_schur_precondition selfp -fieldsplit_0_pc_type lu "
                                   "-fieldsplit_1_pc_type lu -fieldsplit_1_ksp_type gmres"},
                                  folder.path());
  CAPTURE(fieldsplit.text);
  CHECK(fieldsplit.status == 0);
}

TEST_CASE("a channel's flows: what cannot be is refused by name", "[cli]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml",
             "[equation]\nname = \"channel_flow\"\nsizes = [0.02, 0.2]\n[generate]\ncells = [16, 32]\n"
             "[model]\nname = \"fourier\"\n");
  const auto too_large = command({"generate", "case.toml", "--output", "run"}, folder.path());
  CHECK(too_large.status != 0);
  CHECK(says(too_large.text, {"sizes", "0.2 m across", "0.12 m high"}));
  const auto failing = command({"generate", "case.toml", "--output", "run", "--set", "equation.sizes=[0.02, 0.04]",
                                "--set", "generate.samples=2", "--petsc", "-snes_max_it 1"},
                               folder.path());
  CHECK(failing.status != 0);
  CHECK(says(failing.text, {"SNES_DIVERGED_MAX_IT"}));
}

TEST_CASE("a vortex street: states from one to the next", "[cli]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml",
             "[equation]\nname = \"unsteady_channel_flow\"\nlength = 1.0\nviscosity = 5e-3\n[solver]\nstep = 0.01\n"
             "[generate]\nsamples = 2\ntest_samples = 1\ncells = [16, 40]\ninterval = 0.05\nintervals = 2\n"
             "[data]\nhorizon = 1\n[model]\nname = \"fourier\"\n");
  const auto solve = command({"solve", "case.toml", "--with", "reference", "--output", "run"}, folder.path());
  CAPTURE(solve.text);
  CHECK(solve.status == 0);
  CHECK(says(solve.text, {"unsteady_channel_flow, projection with PETSc", "2 intervals of 0.05"}));
  const auto together = command({"generate", "case.toml", "--output", "run"}, folder.path(), /*ranks=*/2);
  CAPTURE(together.text);
  CHECK(together.status == 0);
}
