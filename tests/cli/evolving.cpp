#include <locum/io/datasets/dataset.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum::tests;
namespace fs = std::filesystem;

/// Kuramoto and Sivashinsky's equation on 32 points, and a surrogate from a state to the next.
static const std::string small_case = R"(
[equation]
name   = "kuramoto_sivashinsky"
length = 22.0
[solver]
step = 0.1
[generate]
samples      = 20
test_samples = 3
cells        = [64]
spin_up      = 20.0
interval     = 0.2
intervals    = 12
every        = 2
seed         = 4
[data]
horizon = 1
[model]
name  = "fourier"
modes = [8]
width = 8
[training]
epochs = 2
batch  = 20
[evaluate]
timed = 2
)";

TEST_CASE("run: an equation that evolves, from trajectories to a rollout", "[cli]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml", small_case);
  const auto outcome = command({"run", "case.toml", "--output", "run"}, folder.path());
  INFO(outcome.text);
  REQUIRE(outcome.status == 0);
  CHECK(says(outcome.text, {"rolled out over 12 steps of 0.2", "if nothing changed"}));
  const auto summary = nlohmann::json::parse(bytes_of(folder / "run/summary.json"));
  CHECK(summary.at("rollout_steps") == 12);
  CHECK(summary.at("rollout_relative_l2") > 0);
  CHECK(summary.contains("seconds_per_reference_solve"));
  for (const char* file : {"figures/rollout.png", "paraview/rollout.pvd", "best.h5"})
    CHECK(fs::exists(folder / "run" / file));

  const auto data = locum::io::open_dataset(folder / "run/data/train.h5");
  CHECK(data->size() == 20);
  CHECK(data->steps() == 13);
  CHECK_THAT(data->time(0, 12), WithinAbs(2.4, 1e-12));
  CHECK(std::get<locum::Grid>(data->domain({"u"})).axes[0].points == 32);

  const auto compared = command({"solve", "case.toml", "--with", "run", "--compare", "--output", "run"}, folder.path());
  INFO(compared.text);
  CHECK(compared.status == 0);
  CHECK(says(compared.text, {"best.h5: 12 intervals of 0.2 in", "kuramoto_sivashinsky, Fourier etdrk4",
                             "time 2.4: relative L2 error"}));
  CHECK(fs::exists(folder / "run/paraview/solve_0000.pvd"));
}

TEST_CASE("train: the equation in the loss of a step", "[cli]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml", small_case);
  const auto train = [&](const std::string& run, const std::string& setting) {
    return command({"train", "case.toml", "--output", run, "--set", "training.residual=0.5", "--set", setting},
                   folder.path());
  };
  REQUIRE(command({"generate", "case.toml", "--output", "run"}, folder.path()).status == 0);
  CHECK(says(train("run", "data.horizon=2").text, {"training.residual", "outputs u@+1, u@+2", "data.horizon = 1"}));
  const auto trained = train("run", "data.horizon=1");
  INFO(trained.text);
  CHECK(trained.status == 0);
}

/// What differs between small cases of equations in a plane.
static std::string plane_case(const std::string& equation, const std::string& solver, const std::string& interval)
{
  return "[equation]\n" + equation + "[solver]\n" + solver + R"(
[generate]
samples      = 6
test_samples = 2
cells        = [16, 16]
intervals    = 3
interval     = )" +
         interval + R"(
[data]
horizon = 1
[model]
name    = "fourier"
modes   = [4, 4]
width   = 4
padding = 0.1
[training]
epochs = 1
[evaluate]
timed = 1
)";
}

TEST_CASE("run: gases, water and reactions in a plane, to a rollout and a solve on two ranks", "[cli]")
{
  const std::map<std::string, std::string> cases = {
      {"euler", plane_case("name = \"euler\"\nshear_viscosity = 0.01\n", "courant = 0.5\n", "0.02")},
      {"shallow_water", plane_case("name = \"shallow_water\"\nboundary_x = \"wall\"\n", "", "0.2")},
      {"fitzhugh_nagumo", plane_case("name = \"fitzhugh_nagumo\"\n", "tolerance = 1e-5\n", "0.2")}};
  for (const auto& [name, text] : cases) {
    const TemporaryFolder folder;
    write_text(folder / "case.toml", text);
    const auto outcome = command({"run", "case.toml", "--output", "run"}, folder.path());
    INFO(outcome.text);
    REQUIRE(outcome.status == 0);
    CHECK(says(outcome.text, {"rolled out over 3 steps"}));
    CHECK(nlohmann::json::parse(bytes_of(folder / "run/summary.json")).at("rollout_nrmse") > 0);
    CHECK(fs::exists(folder / "run/paraview/rollout.pvd"));
    const auto solved = command({"solve", "case.toml", "--output", "run"}, folder.path(), 2);
    INFO(solved.text);
    CHECK(solved.status == 0);
    CHECK(says(solved.text, {name.c_str(), "3 intervals"}));
  }
}

TEST_CASE("case: what the solvers of conservation laws and reactions do not know is refused", "[cli][error]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml", plane_case("name = \"euler\"\n", "", "0.02"));
  const auto refused = [&](const std::string& setting) {
    const auto outcome = command({"run", "case.toml", "--output", "run", "--set", setting}, folder.path());
    CHECK(outcome.status == 1);
    return outcome.text;
  };
  CHECK(says(refused("solver.courant=2.0"), {"solver.courant", "found 2", "at most 1"}));
  CHECK(says(refused("solver.step=0.1"), {"solver", "unknown key \"step\""}));
  CHECK(says(refused("equation.boundary_x=\"open\""), {"boundary_x", "open", "outflow"}));
  CHECK(says(refused("equation.lengths=[1.0]"), {"[16, 16]", "1 number"}));
}

TEST_CASE("generate: trajectories are the same on one rank and on two", "[cli]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml", small_case);
  CHECK(command({"generate", "case.toml", "--output", "a"}, folder.path()).status == 0);
  CHECK(command({"generate", "case.toml", "--output", "b"}, folder.path(), 2).status == 0);
  const bool same = bytes_of(folder / "a/data/train.h5") == bytes_of(folder / "b/data/train.h5");
  CHECK(same);
}

TEST_CASE("case: what does not fit an equation that evolves is refused", "[cli][error]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml", small_case);
  const auto refused = [&](const std::string& setting) {
    const auto outcome = command({"run", "case.toml", "--output", "run", "--set", setting}, folder.path());
    CHECK(outcome.status == 1);
    return outcome.text;
  };
  CHECK(says(refused("data.horizon=0"), {"data.horizon", "found 0", "at least 1"}));
  CHECK(says(refused("generate.every=5"), {"generate.every", "found 5", "a divisor of 64"}));
  CHECK(says(refused("solver.scheme=\"rk4\""), {"solver.scheme", "rk4", "etdrk4"}));
  CHECK(says(refused("solver.step=-1.0"), {"solver.step", "-1", "positive"}));
  CHECK(says(refused("generate.intervals=0"), {"generate.intervals", "found 0", "at least 1"}));
}

TEST_CASE("case: [truth] is [equation] and [solver] but for what it says", "[cli]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml",
             small_case + std::string("[truth]\nsecond = 0.5\n[truth.solver]\nscheme = \"cnab2\"\n"));
  const auto shown = command({"run", "case.toml", "--print-config"}, folder.path());
  INFO(shown.text);
  REQUIRE(shown.status == 0);
  const auto truth = shown.text.substr(shown.text.find("[truth]"));
  CHECK(says(truth, {"name = \"kuramoto_sivashinsky\"", "length = 22.0", "second = 0.5", "step = 0.1", "\"cnab2\""}));
  CHECK(says(shown.text, {"second = 1.0", "\"etdrk4\""}));

  const auto refused = [&](const std::string& setting) {
    const auto outcome = command({"run", "case.toml", "--print-config", "--set", setting}, folder.path());
    CHECK(outcome.status == 1);
    return outcome.text;
  };
  CHECK(says(refused("truth.secnod=1.0"), {"[truth]", "unknown key \"secnod\"", "second = 1.0"}));
  CHECK(says(refused("truth.name=\"lorenz63\""), {"lorenz63", "an equation that evolves u"}));
}
