#include <locum/assimilation/variational/four_dimensional.hpp>

#include <cmath>

#include "small_problems.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum;
using namespace locum::assimilation;
using namespace locum::tests;

namespace {

struct Lorenz {
  physics::Lorenz96 equation{{}};
  solvers::RungeKuttaSolver solver{equation, {.step = 0.05}};
  Sample states = solver.advance(equation.draw(equation.grid({40}), 3, 0, 60), 10);
  StateLayout layout{states, {"state"}};
  Forecast forecast{solver, layout, {}, 1};
  Matrix climate = layout.pack(states);

  std::vector<Observations> window(std::int64_t count, double deviation, double correlation = 0, std::int64_t every = 2)
  {
    const auto places = grid_places(layout, {"state"}, every);
    ObservationError error =
        correlation > 0 ? correlated_error(layout, places, deviation, correlation)
                        : ObservationError(Vector::Constant(static_cast<Eigen::Index>(places.size()), deviation));
    const auto network = std::make_shared<const Network>(point_network(layout, places, std::move(error)));
    std::vector<Observations> all;
    Matrix truth = climate.row(0);
    for (std::int64_t i = 1; i <= count; ++i) {
      truth = forecast.advance(truth, 0, 0.1, 0);
      const Matrix noise = network->error.colour(normal(9, "noise", i, 1, network->error.size()));
      all.push_back({.time = 0.1 * static_cast<double>(i),
                     .network = network,
                     .values = (network->instruments->observe(truth) + noise).row(0)});
    }
    return all;
  }
};

}  // namespace

TEST_CASE("4D-Var: the gradient through the model passes Taylor's test", "[assimilation]")
{
  Lorenz problem;
  for (const double correlation : {0.0, 2.0}) {
    const auto window = problem.window(3, 0.5, correlation);
    const FourDimensional method(anomalies_of(problem.climate), 3, 10);
    const RowVector start = problem.climate.row(1), w = 0.1 * normal(1, "w", 0, 1, 60).row(0),
                    direction = normal(1, "direction", 0, 1, 60).row(0);
    const auto [value, gradient] = method.cost(w, start, 0, window, problem.forecast);
    const auto remainder = [&](double h) {
      const double moved = method.cost(w + h * direction, start, 0, window, problem.forecast).first;
      return std::abs(moved - value - h * gradient.dot(direction));
    };
    CHECK_THAT(std::log2(remainder(2e-4) / remainder(1e-4)), WithinAbs(2, 0.05));
  }
}

TEST_CASE("4D-Var: of a linear model it is Kalman's", "[assimilation]")
{
  Scaling model(2);
  const Sample start = random_line(12, 1, 1, 0.5);
  const StateLayout layout(start, {"u"});
  const Forecast forecast(model, layout, {}, 1);
  const Observations seen = line_observations(layout, 2, 0.7, 3);
  const Matrix background = anomalies_of(layout.pack(random_line(12, 30, 5)));
  FourDimensional method(background, 1, 50);
  const Analysis analysis = method.cycle(layout.pack(start), 0, {&seen, 1}, forecast, 0);
  const RowVector before = 2 * layout.pack(start).row(0);
  const Kalman exact = kalman((2 * background).rowwise() + before, seen);
  CHECK((analysis.members.row(0) - exact.mean).norm() < 1e-3 * exact.mean.norm());  // it stops at 1e-8 of the cost
}

TEST_CASE("4D-Var: finds the start that a window of observations tells", "[assimilation]")
{
  Lorenz problem;
  constexpr double deviation = 0.01;
  const auto window = problem.window(4, deviation, /*correlation=*/0, /*every=*/1);
  FourDimensional method(anomalies_of(problem.climate), 4, 200);
  const Matrix guess = problem.climate.row(0) + 0.3 * normal(5, "guess", 0, 1, 40);
  const Analysis analysis = method.cycle(guess, 0, window, problem.forecast, 0);
  CHECK(analysis.smoothed_before == 4);
  // Four observations of each variable: together better than one.
  CHECK((analysis.smoothed.row(0) - problem.climate.row(0)).norm() < deviation * std::sqrt(40.0));
}

TEST_CASE("4D-Var: a model without a gradient is refused by name", "[assimilation][error]")
{
  class Opaque : public Scaling {
   public:
    Opaque() : Scaling(1) {}
    std::string description() const override { return "opaque"; }
    Sample advance(const Sample& state, double duration) override
    {
      Sample after = Scaling::advance(state, duration);
      after.fields["u"].values = after.fields["u"].values.detach();
      return after;
    }
  } model;
  const StateLayout layout(random_line(4, 1, 1), {"u"});
  const Forecast forecast(model, layout, {}, 1);
  const Observations seen = line_observations(layout, 1, 1, 1);
  FourDimensional method(anomalies_of(layout.pack(random_line(4, 6, 2))), 1, 5);
  CHECK(says(message_of([&] {
               method.cycle(layout.pack(random_line(4, 1, 1)), 0, {&seen, 1}, forecast, 0);
             }),
             {"opaque", "no gradient", "ienks"}));
}
