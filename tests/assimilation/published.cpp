// Scores of filters on the Lorenz systems beside published ones. Published are DAPPER's tables (time means of the
// analysis's RMSE), set-ups of Sakov & Oke (2008) and Bocquet et al.
#include <fmt/format.h>
#include <locum/assimilation/cycling.hpp>
#include <locum/assimilation/registry.hpp>

#include "small_problems.hpp"
#include "support/catch.hpp"

using namespace locum;
using namespace locum::assimilation;
using namespace locum::tests;

namespace {

/// Time-mean RMSE of the analysis of a twin experiment with perfect model, all variables observed.
double rmse(const physics::OrdinaryEquation& equation, std::int64_t variables, double step, double interval,
            double deviation, const MethodOptions& options, std::int64_t cycles)
{
  solvers::RungeKuttaSolver solver(equation, {.step = step});
  const Sample states = solver.advance(equation.draw(equation.grid({variables}), 42, 0, 1001), 20);
  const StateLayout layout(states, {"state"});
  const auto places = grid_places(layout, {"state"}, 1);
  const auto network = std::make_shared<const Network>(point_network(
      layout, places, ObservationError(Vector::Constant(static_cast<Eigen::Index>(places.size()), deviation))));
  Sample truth = states.members(0, 1);
  truth.time = 0;
  TwinObservations source(solver, truth, layout, network, network, interval, cycles * options.lag, 5);
  const Forecast forecast(solver, layout, {}, 6);
  const Matrix climate = layout.pack(states.members(1, 1000));
  const auto method =
      make_method(options, layout.grid(), [&](std::int64_t count) { return climate.topRows(count).eval(); });
  const Matrix first =
      (0.1 * normal(8, "first", 0, method->members(), layout.variables())).rowwise() + layout.pack(truth).row(0);
  const CyclingResult result =
      assimilate(*method, source, forecast, first, 0, {.cycles = cycles, .burn_in = 400, .stored = 0}, {});
  return result.means.at("rmse_analysis");
}

struct Row {
  MethodOptions options;
  double published, tolerance;
};

void check(const physics::OrdinaryEquation& equation, std::int64_t variables, double step, double interval,
           double deviation, const std::vector<Row>& rows, std::int64_t cycles)
{
  for (const Row& row : rows) {
    const double found = rmse(equation, variables, step, interval, deviation, row.options, cycles);
    fmt::print("{}: {} with {} members: RMSE {:.3f}, published {:.2f}\n", equation.name(), name_of(row.options.method),
               row.options.members, found, row.published);
    CHECK(found < row.published + row.tolerance);
    CHECK(found > 0.8 * row.published);  // below it the experiment is another one
  }
}

}  // namespace

TEST_CASE("Lorenz-96: filters score as published", "[assimilation]")
{
  const InflationOptions turned{.factor = 1.02,
                                .rotate = true};  // published: 1.013, which loses the truth now and then
  check(physics::Lorenz96({}), 40, 0.05, 0.05, 1,
        {{{.method = MethodKind::etkf, .members = 24, .inflation = turned}, 0.18, 0.01},
         {{.method = MethodKind::enkf_n, .members = 40}, 0.211, 0.01}},
        3000);
}

TEST_CASE("Lorenz-96: all methods over 10 000 cycles", "[.][statistics]")
{
  const InflationOptions turned{.factor = 1.02,
                                .rotate = true};  // published: 1.013, which loses the truth now and then
  check(physics::Lorenz96({}), 40, 0.05, 0.05, 1,
        {{{.method = MethodKind::enkf, .members = 40, .inflation = {.factor = 1.06}}, 0.22, 0.01},
         {{.method = MethodKind::etkf, .members = 24, .inflation = turned}, 0.18, 0.01},
         {{.method = MethodKind::etkf, .members = 40, .inflation = {.factor = 1.02, .rotate = true}}, 0.197, 0.01},
         {{.method = MethodKind::ensrf, .members = 28, .inflation = {.factor = 1.02}}, 0.18, 0.01},
         {{.method = MethodKind::enkf_n, .members = 40}, 0.211, 0.01},
         {{.method = MethodKind::letkf,
           .members = 7,
           .inflation = {.factor = 1.04, .rotate = true},
           .localisation = 4 * 1.82},
          0.22,
          0.02},
         {{.method = MethodKind::ensrf, .members = 7, .inflation = {.factor = 1.07}, .localisation = 6 * 1.82},
          0.23,
          0.02},
         {{.method = MethodKind::ienks, .members = 40, .inflation = {.factor = 1.02, .rotate = true}}, 0.20, 0.01},
         {{.method = MethodKind::three_d_var, .climate_states = 1000, .background_scale = 0.02}, 0.41, 0.03},
         {{.method = MethodKind::interpolation, .climate_states = 1000}, 0.95, 0.03}},
        10000);
}

// The particle filter misses its published score: here all members are moved after they are drawn, there copies alone
// and only when few count (docs/assimilation.md).
TEST_CASE("Lorenz-63: all methods over 10 000 cycles", "[.][statistics]")
{
  const double deviation = std::sqrt(2.0);
  check(physics::Lorenz63({}), 3, 0.01, 0.25, deviation,
        {{{.method = MethodKind::etkf, .members = 3, .inflation = {.factor = 1.30}}, 0.80, 0.05},
         {{.method = MethodKind::etkf, .members = 10, .inflation = {.factor = 1.02, .rotate = true}}, 0.60, 0.05},
         {{.method = MethodKind::enkf, .members = 10, .inflation = {.factor = 1.04}}, 0.65, 0.05},
         {{.method = MethodKind::enkf, .members = 100, .inflation = {.factor = 1.01}}, 0.56, 0.05},
         {{.method = MethodKind::enkf_n, .members = 10}, 0.54, 0.06},
         {{.method = MethodKind::particle, .members = 800, .jitter = 1.2}, 0.28, 0.1},
         {{.method = MethodKind::interpolation, .climate_states = 1000}, 1.25, 0.05},
         {{.method = MethodKind::three_d_var, .climate_states = 1000, .background_scale = 0.1}, 1.04, 0.06}},
        10000);
}
