#include <locum/assimilation/cycling.hpp>
#include <locum/assimilation/registry.hpp>

#include <bit>

#include "small_problems.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

using namespace locum;
using namespace locum::assimilation;
using namespace locum::tests;

namespace {

/// Lorenz-96 with ten variables, seen at every second one.
struct Twin {
  physics::Lorenz96 equation{{}};
  solvers::RungeKuttaSolver solver{equation, {.step = 0.05}};
  Sample states = solver.advance(equation.draw(equation.grid({10}), 3, 0, 41), 5);
  StateLayout layout{states, {"state"}};
  Matrix climate = layout.pack(states.members(1, 40));

  CyclingResult run(const MethodOptions& method_options, const CyclingOptions& options, const CyclingRun& run,
                    std::int64_t observed = 60, double deviation = 0.5, const Communicator& ranks = {})
  {
    const auto places = grid_places(layout, {"state"}, 2);
    const auto network = std::make_shared<const Network>(
        point_network(layout, places, ObservationError(Vector::Constant(5, deviation))));
    Sample truth = states.members(0, 1);
    truth.time = 0;
    TwinObservations source(solver, truth, layout, network, network, 0.1, observed, 11);
    const Forecast forecast(solver, layout, {.model_error = 0.05}, 7, ranks);
    const auto method = make_method(method_options, layout.grid(), [&](std::int64_t) { return climate; });
    return assimilate(*method, source, forecast, climate.topRows(method->members()), 0, options, run);
  }
};

}  // namespace

TEST_CASE("cycling: a run that was stopped anywhere goes on to the bit, whatever the method", "[assimilation]")
{
  Twin twin;
  for (const auto& [kind, name] : option_names(MethodKind{})) {
    INFO(name);
    const MethodOptions method{.method = kind,
                               .members = 12,
                               .inflation = {.factor = 1.02, .adaptive = true, .rotate = true},
                               .localisation = kind == MethodKind::letkf ? 3.0 : 0,
                               .lag = 2,
                               .iterations = 4};
    const CyclingOptions options{.cycles = 12, .burn_in = 2, .stored = 5, .increments = true};
    const CyclingResult unbroken = twin.run(method, options, {});
    const tests::TemporaryFolder folder;
    int left = 0;
    const CyclingRun broken{.folder = folder.path(), .settings = "case", .stop = [&] { return --left == 0; }};
    CyclingResult result;
    do {
      left = 5;
      result = twin.run(method, options, broken);
    } while (!result.complete);
    REQUIRE(result.scores.size() == unbroken.scores.size());
    CHECK((result.members - unbroken.members).cwiseAbs().maxCoeff() == 0);
    const auto bits = [](const Scores& scores) {  // NaN included
      std::vector<std::uint64_t> all;
      for (const double value : scores.values()) all.push_back(std::bit_cast<std::uint64_t>(value));
      return all;
    };
    CHECK(bits(result.scores.back()) == bits(unbroken.scores.back()));
    CHECK(result.means == unbroken.means);
    CHECK(result.stored.size() == 5);
    CHECK(result.stored.front().analysis == unbroken.stored.front().analysis);
    CHECK(result.increments.size() == 10);  // of cycles that count
    CHECK(result.increments[3].state == unbroken.increments[3].state);
    CHECK(result.increments[3].forecast == unbroken.increments[3].forecast);
    CHECK(result.increments[3].analysis == unbroken.increments[3].analysis);
    CHECK((result.ranks - unbroken.ranks).matrix().norm() == 0);
  }
}

TEST_CASE("cycling: observations that end, end the run", "[assimilation]")
{
  const CyclingResult result = Twin().run({.members = 12}, {.cycles = 100, .burn_in = 0}, {}, /*observed=*/7);
  CHECK(result.scores.size() == 7);
  CHECK_THAT(result.time, WithinAbs(0.7, 1e-12));
}

TEST_CASE("cycling: another run's checkpoint is refused", "[assimilation][error]")
{
  Twin twin;
  const tests::TemporaryFolder folder;
  const CyclingOptions options{.cycles = 2};
  twin.run({.members = 12}, options, {.folder = folder.path(), .settings = "members = 12\n"});
  CHECK(says(
      message_of([&] { twin.run({.members = 12}, options, {.folder = folder.path(), .settings = "members = 13\n"}); }),
      {"resuming the assimilation", "members = 12", "members = 13"}));
}

TEST_CASE("cycling: a collapsed ensemble is named", "[assimilation]")
{
  // Five members without inflation believe in themselves.
  Twin twin;
  const CyclingResult result =
      twin.run({.members = 3, .inflation = {.factor = 0.5}}, {.cycles = 300, .burn_in = 0}, {}, 300, 0.05);
  CHECK(result.collapsed > 0);
  CHECK(twin.run({.members = 20, .inflation = {.factor = 1.05}}, {.cycles = 300, .burn_in = 0}, {}, 300).collapsed < 0);
}

TEST_CASE("cycling: ranks come to the same bits", "[ranks2]")
{
  Twin twin;
  const Communicator world(MPI_COMM_WORLD);
  for (const auto kind : {MethodKind::etkf, MethodKind::letkf, MethodKind::ienks}) {
    INFO(name_of(kind));
    const MethodOptions method{.method = kind, .members = 11, .localisation = kind == MethodKind::letkf ? 3.0 : 0};
    const CyclingOptions options{.cycles = 10, .burn_in = 2};
    const Matrix alone = twin.run(method, options, {}).members,
                 shared = twin.run(method, options, {}, 60, 0.5, world).members;
    CHECK((alone - shared).cwiseAbs().maxCoeff() == 0);
  }
}
