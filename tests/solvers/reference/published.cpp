// Solutions computed by others: $LOCUM_DATA/reference.
#include <locum/io/datasets/dataset.hpp>
#include <locum/physics/periodic/allen_cahn.hpp>
#include <locum/physics/periodic/burgers.hpp>
#include <locum/physics/periodic/korteweg_de_vries.hpp>
#include <locum/solvers/reference/periodic/periodic.hpp>

#include <cstdlib>
#include <filesystem>
#include <numbers>
#include <optional>

#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::physics;
using solvers::PeriodicSolver;
using tests::relative_distance;

/// u[x, t] of a file, or nothing, said loudly.
static std::optional<Tensor> published(const std::string& name)
{
  const char* const data = std::getenv("LOCUM_DATA");
  const auto file = std::filesystem::path(data ? data : "") / "reference" / name;
  if (!data || !std::filesystem::exists(file)) {
    WARN("skipped: needs LOCUM_DATA/reference/" << name);
    return {};
  }
  io::DatasetOptions layout;
  layout.fields["u"] = {.path = "u", .axes = {"x", "time"}, .unit = ""};
  const auto dataset = io::open_dataset(file, layout);
  std::vector<Tensor> steps;
  for (std::int64_t step = 0; step < dataset->steps(); ++step)
    steps.push_back(dataset->read({"u"}, 0, 1, step).field("u").values[0][0]);
  return torch::stack(steps);  // [time, x]
}

/// A state of field "u", advanced.
static Tensor advanced(const PeriodicEquation& equation, const Grid& grid, const Tensor& u, double step,
                       double duration)
{
  Sample state{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  state.fields["u"] = {.values = u.unsqueeze(0).unsqueeze(0), .unit = "1"};
  return PeriodicSolver(equation, {.step = step}).advance(state, duration).field("u").values[0][0];
}

TEST_CASE("Korteweg-de Vries: a published solution", "[solvers][published]")
{
  const auto u = published("korteweg_de_vries.h5");
  if (!u) return;
  const KortewegDeVries equation({});
  CHECK(relative_distance(advanced(equation, equation.grid({512}), (*u)[0], 1e-4, 1), (*u)[-1]) < 1e-4);
}

TEST_CASE("Allen-Cahn: a published solution", "[solvers][published]")
{
  const auto u = published("allen_cahn.h5");
  if (!u) return;
  const AllenCahn equation({});
  CHECK(relative_distance(advanced(equation, equation.grid({512}), (*u)[0], 1e-3, 1), (*u)[-1]) < 1e-3);
}

TEST_CASE("Burgers: a published shock", "[solvers][published]")
{
  const auto u = published("burgers_shock.h5");
  if (!u) return;
  // 256 points from −1 to 1, both ends included: every fourth of 1020 periodic ones.
  const Burgers equation({.viscosity = 0.01 / std::numbers::pi, .length = 2});
  const Grid grid = equation.grid({1020});
  const Tensor start = -(std::numbers::pi * (grid.coordinates(0) - 1)).sin();
  const Tensor end = advanced(equation, grid, start, 5e-4, 0.99);
  CHECK(relative_distance(end.slice(0, 0, c10::nullopt, 4), (*u)[-1].narrow(0, 0, 255)) < 1e-3);
}
