#include <locum/assimilation/cycling.hpp>
#include <locum/assimilation/discovery/discovery.hpp>
#include <locum/assimilation/discovery/twin.hpp>
#include <locum/assimilation/registry.hpp>
#include <locum/physics/periodic/corrected_equation.hpp>
#include <locum/physics/periodic/kuramoto_sivashinsky.hpp>
#include <locum/solvers/reference/periodic/periodic.hpp>

#include <cmath>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::assimilation;
using physics::KuramotoSivashinsky;
using physics::KuramotoSivashinskyOptions;
using solvers::PeriodicSolver;

namespace {

const KuramotoSivashinsky& truth()
{
  static const KuramotoSivashinsky equation({.length = 100});
  return equation;
}

/// A state of the attractor.
const Sample& state()
{
  static const Sample developed =
      PeriodicSolver(truth(), {.step = 0.02}).advance(truth().draw(truth().grid({256}), 1, 0, 1), 100);
  return developed;
}

Sample pairs(const KuramotoSivashinsky& model, const TwinOptions& options)
{
  PeriodicSolver exact(truth(), {.step = 0.01}), forecast(model, {.step = options.interval});
  const Sample observed =
      observe_pairs(make_pairs(exact, state(), {"u"}, options, [](std::int64_t) {}), truth(), options, {}, 1);
  return with_model(forecast, observed, {"u"}, options.interval);
}

/// 100 ‖c_true − c‖ / ‖c_true‖ of the equation with what was found; the coefficients of u u_x, u_xx and u_xxxx are −1.
double error_percent(const Library& library, const SparseFit& fit, const KuramotoSivashinskyOptions& model)
{
  double sum = 0;
  for (std::size_t i = 0; i < library.terms().size(); ++i) {
    const std::string term = library.terms()[i].text();
    double missing = 0;
    if (term == "u*dx(u)") missing = model.advection - 1;
    if (term == "dxx(u)") missing = model.second - 1;
    if (term == "dxxxx(u)") missing = model.fourth - 1;
    sum += std::pow(fit.coefficients[static_cast<Eigen::Index>(i)] - missing, 2);
  }
  return 100 * std::sqrt(sum / 3);
}

}  // namespace

TEST_CASE("discovery: terms missing from Kuramoto and Sivashinsky's equation, among 24", "[assimilation]")
{
  // Errors in per cent of Mojgani et al., Chaos 32 (2022), as their published code gives them: 0.39, 1.09 and 14.5.
  const auto [options, published] = GENERATE(table<KuramotoSivashinskyOptions, double>({
      {{.length = 100, .second = 0}, 0.39},
      {{.length = 100, .fourth = 0}, 1.09},
      {{.length = 100, .advection = 0, .second = 0.5, .fourth = 2}, 14.5},
  }));
  const double interval = 5e-3;
  const KuramotoSivashinsky model(options);
  Sample sample = pairs(model, {.samples = 10, .spacing = 5, .interval = interval});
  const DiscoveryOptions how{.thresholds = {1e-2, 0.1, 0.3}};
  const Library library(how, sample, {"u"});
  REQUIRE(library.terms().size() == 24);
  auto found = discover(how, library, sample, {"u"}, interval, silent_log());
  const double first = error_percent(library, found[0].fit, options);
  CAPTURE(options.advection, options.second, options.fourth, first);
  CHECK(first < 5);
  for (int time = 0; time < 2; ++time) {
    std::vector<physics::Correction> corrections;
    for (std::size_t i = 0; i < library.terms().size(); ++i)
      if (const double c = found[0].fit.coefficients[static_cast<Eigen::Index>(i)]; c != 0)
        corrections.push_back({"u", c, library.terms()[i]});
    const physics::CorrectedEquation corrected(model, corrections, state().grid());
    PeriodicSolver forecast(corrected, {.step = interval});
    sample = with_model(forecast, sample, {"u"}, interval);
    refine(found[0], library, sample, interval);
  }
  CHECK(error_percent(library, found[0].fit, options) < 1e-3 * published);
}

TEST_CASE("discovery: from noisy observations by the weak form", "[assimilation]")
{
  const KuramotoSivashinskyOptions options{.length = 100, .second = 0};
  const double interval = 0.02;
  const Sample sample =
      pairs(KuramotoSivashinsky(options), {.samples = 50, .spacing = 2, .interval = interval, .noise = 0.01});
  const auto error = [&](const std::vector<std::int64_t>& support) {
    const DiscoveryOptions how{.support = support, .thresholds = {0.1}};
    const Library library(how, sample, {"u"});
    return error_percent(library, discover(how, library, sample, {"u"}, interval, silent_log())[0].fit, options);
  };
  const double weak = error({14}), at_points = error({});
  CAPTURE(weak, at_points);
  CHECK(weak < 5);
  CHECK(at_points > 2 * weak);
}

TEST_CASE("discovery: from the analyses of a filter that noisy observations correct", "[assimilation]")
{
  // Observations every 0.02 with errors of 1 %, a filter that has to believe them more than the model, 120 cycles.
  const KuramotoSivashinskyOptions options{.length = 100, .second = 0};
  const KuramotoSivashinsky model(options);
  PeriodicSolver exact(truth(), {.step = 0.01}), forecast(model, {.step = 0.01});
  Sample start = state();
  start.time = 0;
  const StateLayout layout(start, {"u"});
  const auto places = grid_places(layout, {"u"}, /*every=*/2);
  const double deviation = 0.01 * start.field("u").values.std().item<double>();
  const auto network = std::make_shared<const Network>(point_network(
      layout, places, ObservationError(Vector::Constant(static_cast<Eigen::Index>(places.size()), deviation))));
  const double interval = 0.02;
  TwinObservations source(exact, start, layout, network, network, interval, 120, 5);
  const auto method = make_method(
      {.method = MethodKind::letkf, .members = 16, .inflation = {.factor = 2.5}, .localisation = 4}, layout.grid(), {});
  const Matrix members =
      (deviation * normal(8, "first", 0, method->members(), layout.variables())).rowwise() + layout.pack(start).row(0);
  const CyclingResult cycles = assimilate(*method, source, Forecast(forecast, layout, {}, 6), members, 0,
                                          {.cycles = 120, .burn_in = 20, .stored = 0, .increments = true}, {});
  REQUIRE(cycles.increments.size() == 100);
  CHECK(cycles.means.at("rmse_analysis") < deviation);

  Matrix from(100, layout.variables()), to = from;
  for (Eigen::Index i = 0; i < 100; ++i) {
    from.row(i) = cycles.increments[static_cast<std::size_t>(i)].state;
    to.row(i) = cycles.increments[static_cast<std::size_t>(i)].analysis;
  }
  const Sample analyses{
      .domain = layout.grid(),
      .fields = {{"u_start", layout.unpack(from, 0).field("u")}, {"u_end", layout.unpack(to, 0).field("u")}},
      .scalars = {},
      .time = interval};
  const Sample sample = with_model(forecast, analyses, {"u"}, interval);
  const DiscoveryOptions how{.support = {10}, .thresholds = {0.1}};
  const Library library(how, sample, {"u"});
  const auto found = discover(how, library, sample, {"u"}, interval, silent_log());
  CHECK(found[0].fit.terms() == 1);
  CHECK(error_percent(library, found[0].fit, options) < 5);
}

TEST_CASE("discovery: the equation with what is missing runs as the truth does", "[assimilation]")
{
  const KuramotoSivashinsky model({.length = 100, .advection = 0.5, .second = 0});
  const physics::CorrectedEquation corrected(
      model, {{"u", -0.5, physics::Formula::parse("u*dx(u)")}, {"u", -1, physics::Formula::parse("dxx(u)")}},
      state().grid());
  const solvers::PeriodicSolverOptions stepping{.step = 0.05};
  const auto end = [&](const physics::PeriodicEquation& equation, double duration) {
    return PeriodicSolver(equation, stepping).advance(state(), duration).field("u").values;
  };
  CHECK(tests::relative_distance(end(corrected, 5), end(truth(), 5)) < 1e-12);
  CHECK(tests::relative_distance(end(model, 5), end(truth(), 5)) > 0.1);
}

TEST_CASE("discovery: an equation of many products runs in loops as in tensors, one of too many is refused",
          "[assimilation]")
{
  std::vector<physics::Correction> corrections;
  const auto correct = [&](int most) {
    for (int power = 0; power <= most; ++power)
      for (int derivative = 1; derivative <= most; ++derivative)
        corrections.push_back({"u", 1e-9 * (power + derivative),
                               physics::Formula::parse("dx(u)*u^" + std::to_string(power) + "*d" +
                                                       std::string(std::size_t(derivative), 'x') + "(u)")});
    return physics::CorrectedEquation(truth(), corrections, state().grid());
  };
  const auto many = correct(5);
  PeriodicSolver solver(many, {.step = 0.05});
  Sample wanted = state();
  wanted.fields.at("u").values = wanted.field("u").values.clone().requires_grad_();
  const Tensor loops = solver.advance(state(), 0.2).field("u").values;
  CHECK(tests::relative_distance(loops, solver.advance(wanted, 0.2).field("u").values.detach()) < 1e-12);
  const auto too_many = correct(9);
  CHECK(tests::says(tests::message_of([&] { PeriodicSolver(too_many, {.step = 0.05}).advance(state(), 0.1); }),
                    {"factors or products", "at most 64"}));
}

TEST_CASE("discovery: bad input is refused", "[assimilation][error]")
{
  Sample sample = pairs(KuramotoSivashinsky({.length = 100, .second = 0}), {.samples = 1});
  const auto message = [&](const DiscoveryOptions& how) {
    return tests::message_of([&] {
      const Library library(how, sample, {"u"});
      discover(how, library, sample, {"u"}, 5e-3, silent_log());
    });
  };
  CHECK(tests::says(message({.terms = {"v*dx(u)"}}), {"\"v\"", "one of u, x"}));
  CHECK(tests::says(message({.terms = {"u^4"}, .thresholds = {1e3}}), {"1 candidate terms", "all are pruned", "1000"}));
  CHECK(tests::says(message({.margin = {200}}), {"discovery.margin", "[200]"}));
  CHECK(tests::says(message({.thresholds = {}}), {"discovery.thresholds", "[]"}));
  sample.fields["u_increment"].values[0][0][17] = NAN;
  CHECK(tests::says(message({}), {"u_increment", "17"}));
  std::get<Grid>(sample.domain).axes[0].periodic = false;
  CHECK(tests::says(message({}), {"axis x is not periodic"}));
  CHECK(
      tests::says(message({.derivatives = Differentiation::finite_differences, .order = 3}), {"discovery.order", "3"}));
}
