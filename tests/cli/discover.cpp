#include <locum/io/datasets/dataset_writer.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum::tests;
namespace fs = std::filesystem;

/// Kuramoto and Sivashinsky's equation without its second derivative.
static const std::string small_case = R"(
[equation]
name   = "kuramoto_sivashinsky"
length = 44.0
second = 0.0
[solver]
step = 0.01
[truth]
second = 1.0
fourth = 1.0
[generate]
cells   = [128]
spin_up = 50.0
[discovery]
samples    = 5
spacing    = 5.0
interval   = 0.01
forecast   = 5.0
statistics = 5.0
)";

TEST_CASE("discover: what the model lacks is found, written, and makes the model right", "[cli]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml", small_case);
  const auto outcome = command({"discover", "case.toml", "--output", "run"}, folder.path());
  INFO(outcome.text);
  REQUIRE(outcome.status == 0);
  CHECK(says(outcome.text, {"d u/dt = kuramoto_sivashinsky - 1 dxx(u)", "\\partial_t u = \\ldots - 1 \\partial_x^{2} u",
                            "those of the model by 57.74 %", "corrected model"}));
  const auto found = nlohmann::json::parse(bytes_of(folder / "run/discovered.json"));
  REQUIRE(found.at("u").at("terms").size() == 1);
  CHECK(found.at("u").at("terms")[0].at("term") == "dxx(u)");
  CHECK_THAT(found.at("u").at("terms")[0].at("coefficient").get<double>(), WithinAbs(-1, 1e-6));
  CHECK_THAT(found.at("u").at("terms")[0].at("true").get<double>(), WithinAbs(-1, 1e-9));
  const auto summary = nlohmann::json::parse(bytes_of(folder / "run/summary.json"));
  CHECK(summary.at("equation_error_percent") < 1e-4);
  CHECK(summary.at("useful_time_corrected") == 5.0);
  CHECK(summary.at("useful_time_model") < 5.0);
  for (const char* file : {"coefficients", "l_curve", "forecast", "hovmoeller", "spectrum"})
    CHECK(fs::exists(folder / "run/figures" / (std::string(file) + ".png")));

  // What was seen of the truth is kept, for other models, too.
  const auto made = fs::last_write_time(folder / "run/data/truth.h5");
  const auto again = command({"discover", "case.toml", "--output", "run", "--set", "equation.fourth=0.5", "--set",
                              "discovery.regression=thresholded"},
                             folder.path());
  INFO(again.text);
  CHECK(again.status == 0);
  CHECK(says(again.text, {" dxx(u) - 0.", " dxxxx(u)", "those of the model by 64.55 %"}));
  CHECK(fs::last_write_time(folder / "run/data/truth.h5") == made);
  const auto other =
      command({"discover", "case.toml", "--output", "run", "--set", "discovery.samples=6"}, folder.path());
  CHECK(other.status == 1);
  CHECK(says(other.text, {"truth.h5", "samples = 5", "samples = 6"}));
}

TEST_CASE("discover: increments of a filter, on a grid that is not periodic, of no known equation", "[cli]")
{
  const TemporaryFolder folder;
  locum::Grid grid = locum::Grid::cell_centres({200}, {10.0});
  const torch::Tensor x = grid.coordinates(0);
  std::vector<torch::Tensor> states, increments;
  for (int i = 0; i < 4; ++i) {
    states.push_back((x + 0.7 * i).sin() + 0.3 * (2.3 * x * (i + 1)).cos());
    const torch::Tensor u = states.back(), slope = (x + 0.7 * i).cos() - 0.69 * (i + 1) * (2.3 * x * (i + 1)).sin();
    increments.push_back(0.5 * (0.8 * u - 1.5 * u * slope));
  }
  const auto values = [](const std::vector<torch::Tensor>& of) { return torch::stack(of).unsqueeze(1); };
  const locum::Sample sample{
      .domain = grid,
      .fields = {{"u", {.values = values(states)}}, {"u_increment", {.values = values(increments)}}},
      .scalars = {{"interval", {.values = torch::full({4}, 0.5, torch::kFloat64)}}},
      .time = 0};
  locum::io::DatasetWriter writer({}, folder / "increments.h5",
                                  {.name = "increments",
                                   .samples = 4,
                                   .grid = grid,
                                   .fields = {{.name = "u"}, {.name = "u_increment"}},
                                   .scalars = {{"interval", "1"}},
                                   .provenance = {}});
  writer.write(0, sample);
  writer.close();
  write_text(folder / "case.toml", R"([discovery]
increments  = "increments.h5"
power       = 2
derivative  = 2
derivatives = "finite_differences"
[data]
train = "increments.h5"
)");
  const auto outcome = command({"discover", "case.toml", "--output", "run"}, folder.path());
  INFO(outcome.text);
  CHECK(outcome.status == 0);
  CHECK(says(outcome.text, {"d u/dt = the model + 0.8", " u - 1.", "u*dx(u)"}));
  const auto spectral =
      command({"discover", "case.toml", "--output", "run", "--set", "discovery.derivatives=spectral"}, folder.path());
  CHECK(spectral.status == 1);
  CHECK(says(spectral.text, {"axis x is not periodic", "finite_differences"}));
}

TEST_CASE("discover: what cannot be done is refused", "[cli][error]")
{
  const TemporaryFolder folder;
  write_text(folder / "case.toml", small_case);
  const auto refused = [&](const std::string& setting) {
    const auto outcome = command({"discover", "case.toml", "--output", "run", "--set", setting}, folder.path());
    CHECK(outcome.status == 1);
    return outcome.text;
  };
  CHECK(says(refused("discovery.terms=[\"u*dx(v)\"]"), {"\"v\"", "no field or coordinate", "u, "}));
  CHECK(says(refused("discovery.terms=[\"u*\"]"), {"\"u*\", character 3", "its end"}));
  CHECK(says(refused("discovery.thresholds=[100.0]"), {"all are pruned", "threshold below 100"}));
  CHECK(says(refused("discovery.increments=\"nowhere.h5\""), {"nowhere.h5"}));
  write_text(folder / "alone.toml", "[equation]\nname = \"burgers\"\n[generate]\ncells = [64]\n[data]\nhorizon = 1\n");
  const auto alone = command({"discover", "alone.toml", "--output", "alone"}, folder.path());
  CHECK(alone.status == 1);
  CHECK(says(alone.text, {"neither increments nor [truth]", "discovery.increments"}));
  const auto two = command({"discover", "case.toml", "--output", "run"}, folder.path(), 2);
  CHECK(two.status == 1);
  CHECK(says(two.text, {"2 ranks", "without mpiexec"}));
}
