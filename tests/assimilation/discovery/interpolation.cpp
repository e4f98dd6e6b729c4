#include <locum/assimilation/discovery/interpolation.hpp>
#include <locum/assimilation/discovery/twin.hpp>
#include <locum/core/random.hpp>
#include <locum/physics/periodic/baroclinic_jet.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::assimilation;
using tests::relative_distance, tests::message_of, tests::says;

namespace {

/// A periodic square of 2π.
Grid square(std::int64_t points) { return physics::periodic_grid({points, points}, {2 * M_PI, 2 * M_PI}); }

/// Waves of all wave numbers up to `highest`, amplitudes falling as 1 / k³: [y, x].
Tensor waves(const Grid& grid, std::int64_t highest, std::uint64_t seed)
{
  const Tensor y = grid.coordinates(0).unsqueeze(1), x = grid.coordinates(1);
  RandomStream random(seed, "waves");
  Tensor field = torch::zeros(grid.shape(), torch::kFloat64);
  for (std::int64_t l = -highest; l <= highest; ++l)
    for (std::int64_t k = 0; k <= highest; ++k)
      if (k * k + l * l > 0 && k * k + l * l <= highest * highest)
        field = field + (random.normal({1}) * (k * x + l * y).cos() + random.normal({1}) * (k * x + l * y).sin()) *
                            std::pow(k * k + l * l, -1.5);
  return field;
}

Tensor some_places(const Grid& grid, double part)
{
  const std::int64_t points = grid.axes[0].points * grid.axes[1].points;
  return RandomStream(3, "places").permutation(points).narrow(0, 0, static_cast<std::int64_t>(part * points));
}

/// How far what is made of some values is from the whole. @param noise  over the deviation of the field
double error_of(const Grid& grid, const Tensor& field, const InterpolationOptions& options, double noise = 0)
{
  const Tensor sensors = some_places(grid, 0.25);
  const Tensor seen = field.flatten().index_select(0, sensors);
  const Tensor values = seen + noise * field.std() * RandomStream(4, "noise").normal(seen.sizes().vec());
  const Tensor filled = FieldInterpolation(grid, sensors, options, 5).fill(values.view({1, 1, -1}));
  return relative_distance(filled[0][0], field);
}

}  // namespace

TEST_CASE("interpolation: smooth fields are found from a quarter of the points", "[assimilation]")
{
  const Grid grid = square(32);  // 256 sensors
  CHECK(error_of(grid, waves(grid, 5, 1), {.features = 400, .scale = 0.3}) < 0.04);
  const double more = error_of(grid, waves(grid, 12, 1), {.features = 400, .scale = 0.3});
  CAPTURE(more);
  CHECK(more < 0.06);
}

TEST_CASE("interpolation: of noisy values the ridge leaves what is smooth", "[assimilation]")
{
  const Grid grid = square(32);
  const double error = error_of(grid, waves(grid, 5, 1), {.features = 400, .scale = 0.3}, 0.1);
  CAPTURE(error);
  CHECK(error < 0.1);  // closer than what was seen
}

TEST_CASE("interpolation: several fields at once", "[assimilation]")
{
  const Grid grid = square(16);
  const Tensor sensors = some_places(grid, 0.5);
  const FieldInterpolation interpolation(grid, sensors, {.features = 100, .scale = 0.3}, 5);
  const Tensor a = waves(grid, 3, 1), b = waves(grid, 3, 2);
  const auto seen = [&](const Tensor& field) { return field.flatten().index_select(0, sensors).view({1, 1, -1}); };
  const Tensor both = interpolation.fill(torch::cat({seen(a), seen(b)}));
  CHECK(both.sizes() == torch::IntArrayRef({2, 1, 16, 16}));
  CHECK(relative_distance(both[0][0], a) < 0.03);
  CHECK(relative_distance(both[1][0], b) < 0.03);
}

TEST_CASE("interpolation: states are found of the stream functions that are observed", "[assimilation]")
{
  const physics::BaroclinicJet jet({});
  const Grid grid = jet.grid({32, 16});
  const Sample start = jet.draw(grid, 1, 0, 2), end = jet.draw(grid, 2, 0, 2);
  Sample pairs{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  for (const char* name : {"q1", "q2"}) {
    pairs.fields[std::string(name) + "_start"] = start.field(name);
    pairs.fields[std::string(name) + "_end"] = end.field(name);
  }
  const auto observe = [&](const TwinOptions& options) { return observe_pairs(pairs, jet, options, {}, 1); };
  const Sample seen = observe({.observed = {"psi1", "psi2"}});
  for (const auto& [name, field] : pairs.fields)
    CHECK(relative_distance(seen.field(name).values, field.values) < 1e-10);
  CHECK(says(message_of([&] { observe({.observed = {"psi1"}}); }), {"discovery.observed", "[psi1]", "q1, q2"}));
  CHECK(says(message_of([&] { observe({.observed = {"psi_r", "q1"}}); }), {"\"psi_r\"", "state or its diagnostics"}));
  CHECK(says(message_of([&] { observe({.sensors = 0.01}); }), {"discovery.sensors", "5 of 512", "at least 10"}));
  CHECK(says(message_of([&] { observe({.sensors = 1.5}); }), {"discovery.sensors", "1.5", "up to 1"}));
  CHECK(says(message_of([&] { observe_pairs(pairs, jet, {.sensors = 0.5}, {.features = -1}, 1); }),
             {"discovery.interpolation.features", "-1", "at least 1"}));
}
