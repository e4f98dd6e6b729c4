// PDAF's verification case, with its files: LOCUM_PDAF names the folder `tests` of its source. They are not ours to
// copy; without them the test is skipped.
#include <locum/assimilation/registry.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "small_problems.hpp"
#include "support/catch.hpp"

using namespace locum;
using namespace locum::assimilation;
using namespace locum::tests;
namespace fs = std::filesystem;

namespace {

constexpr Eigen::Index ny = 18, nx = 36;

/// Fields of 18 lines with 36 numbers.
RowVector read_field(const fs::path& file)
{
  std::ifstream stream(file);
  INFO(file);
  RowVector field(ny * nx);
  for (Eigen::Index i = 0; i < field.size(); ++i) REQUIRE(stream >> field[i]);
  return field;
}

/// Their model: everything moves a line on, and the last becomes the first.
RowVector moved(const RowVector& field, Eigen::Index steps)
{
  RowVector after(field.size());
  for (Eigen::Index y = 0; y < ny; ++y) after.segment((y + steps) % ny * nx, nx) = field.segment(y * nx, nx);
  return after;
}

}  // namespace

TEST_CASE("PDAF's verification: the same analyses", "[assimilation]")
{
  const char* const folder = std::getenv("LOCUM_PDAF");
  if (!folder || !fs::exists(fs::path(folder) / "verification")) {
    WARN("skipped: LOCUM_PDAF does not name the folder tests of PDAF's source");
    return;
  }
  const fs::path inputs = fs::path(folder) / "inputs_online.18x36";
  Grid grid;
  grid.axes = {{.name = "y", .points = ny, .origin = 0, .spacing = 1, .periodic = false, .unit = "1"},
               {.name = "x", .points = nx, .origin = 0, .spacing = 1, .periodic = false, .unit = "1"}};
  const Sample example{.domain = grid,
                       .fields = {{"field", {.values = torch::zeros({1, 1, ny, nx}, torch::kFloat64), .unit = "1"}}},
                       .scalars = {},
                       .time = 0};
  const StateLayout layout(example, {"field"});
  Scaling persistence(1);
  const Forecast forecast(persistence, layout, {}, 1);

  // Filter types 4 and 5 of PDAF: its ETKF and LETKF, forgetting factor .8, support of the taper 5.
  for (const auto& [kind, name] :
       {std::pair{MethodKind::etkf, "online_2D_ftype4s0"}, {MethodKind::letkf, "online_2D_ftype5s0"}}) {
    INFO(name);
    const auto method =
        make_method({.method = kind, .members = 4, .localisation = kind == MethodKind::letkf ? 2.5 : 0}, grid, {});
    Matrix members(4, ny * nx);
    for (Eigen::Index i = 0; i < 4; ++i) members.row(i) = read_field(inputs / fmt::format("ens_{}.txt", i + 1));
    for (const int step : {9, 18}) {
      for (Eigen::Index i = 0; i < 4; ++i) members.row(i) = moved(members.row(i), 9);
      const RowVector seen = read_field(inputs / fmt::format("obs_step{}.txt", step));
      std::vector<Place> places;
      std::vector<double> values;
      for (Eigen::Index x = 0; x < nx; ++x)
        for (Eigen::Index y = 0; y < ny; ++y)
          if (seen[y * nx + x] > -999) {
            places.push_back({"field", 0, {static_cast<double>(y), static_cast<double>(x)}});
            values.push_back(seen[y * nx + x]);
          }
      const auto count = static_cast<Eigen::Index>(values.size());
      const Observations observations{.time = static_cast<double>(step),
                                      .network = std::make_shared<const Network>(point_network(
                                          layout, places, ObservationError(Vector(Vector::Constant(count, 0.5))))),
                                      .values = Eigen::Map<const RowVector>(values.data(), count)};
      const Matrix inflated = (anomalies_of(members) / std::sqrt(0.8)).rowwise() + mean_of(members);
      members = method->cycle(inflated, step - 9, {&observations, 1}, forecast, 0).members;
      const fs::path results = fs::path(folder) / "verification" / name;
      INFO("step " << step << ", " << count << " observations");
      const RowVector mean = read_field(results / fmt::format("state_step{:02}_ana.txt", step));
      CHECK((mean_of(members) - mean).cwiseAbs().maxCoeff() < 1e-9);
      for (Eigen::Index i = 0; i < 4; ++i) {
        const RowVector member = read_field(results / fmt::format("ens_{:02}_step{:02}_ana.txt", i + 1, step));
        CHECK((members.row(i) - member).cwiseAbs().maxCoeff() < 1e-9);
      }
    }
  }
}
