#include <locum/assimilation/filters/ensemble_transform.hpp>
#include <locum/assimilation/registry.hpp>

#include "small_problems.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum;
using namespace locum::assimilation;
using namespace locum::tests;

namespace {

/// One cycle of a method on a random ensemble of a line of 12 points, the model doubling everything.
struct Problem {
  explicit Problem(std::int64_t members = 8, double correlation = 0)
      : start(random_line(12, members, 1, 0.5)),
        layout(start, {"u"}),
        observations(line_observations(layout, 2, 0.7, 3, correlation)),
        forecast(model, layout, {}, 7)
  {
  }
  Analysis run(MethodOptions options, const Matrix& background = {})
  {
    const auto method = make_method(options, layout.grid(), [&](std::int64_t) { return background; });
    return method->cycle(layout.pack(start), 0, {&observations, 1}, forecast, 0);
  }
  Matrix before() const { return 2 * layout.pack(start); }

  Scaling model{2};
  Sample start;
  StateLayout layout;
  Observations observations;
  Forecast forecast;
};

}  // namespace

TEST_CASE("filters: for a linear model they are Kalman's", "[assimilation]")
{
  constexpr double rounding = 1e-11;
  for (const double correlation : {0.0, 2.0}) {
    Problem problem(8, correlation);
    const Kalman exact = kalman(problem.before(), problem.observations);
    INFO("correlation " << correlation);
    // Square roots have mean and covariance; the lag of 1 of a linear model is no other problem.
    for (const auto kind : {MethodKind::etkf, MethodKind::ensrf, MethodKind::ienks, MethodKind::enks}) {
      INFO(name_of(kind));
      const Analysis analysis = problem.run({.method = kind, .members = 8});
      CHECK((analysis.forecast - problem.before()).norm() < rounding);
      CHECK((mean_of(analysis.members) - exact.mean).norm() < rounding);
      CHECK((covariance_of(analysis.members) - exact.covariance).norm() < rounding);
      if (kind == MethodKind::enks || kind == MethodKind::ienks) {  // half of what is there later
        CHECK(analysis.smoothed_before == 1);
        CHECK((2 * mean_of(analysis.smoothed) - exact.mean).norm() < rounding);
      }
    }
    // A taper that is 1 everywhere does nothing.
    const Analysis local = problem.run({.method = MethodKind::letkf, .members = 8, .localisation = 1e9});
    CHECK((mean_of(local.members) - exact.mean).norm() < 1e-9);
    CHECK((covariance_of(local.members) - exact.covariance).norm() < 1e-9);
    // Perturbations of mean zero leave the mean to Kalman's formula.
    const Analysis perturbed = problem.run({.method = MethodKind::enkf, .members = 8});
    CHECK((mean_of(perturbed.members) - exact.mean).norm() < rounding);
    CHECK(
        (mean_of(problem.run({.method = MethodKind::hybrid, .members = 8, .hybrid = 1}, anomalies_of(problem.before()))
                     .members) -
         exact.mean)
            .norm() < rounding);
  }
  Problem problem;
  for (const auto kind : {MethodKind::enkf, MethodKind::ensrf}) {
    const Analysis tapered = problem.run({.method = kind, .members = 8, .localisation = 1e9});
    CHECK((mean_of(tapered.members) - kalman(problem.before(), problem.observations).mean).norm() < 1e-9);
  }
}

TEST_CASE("filters: methods of one state are Kalman's for their covariance", "[assimilation]")
{
  Problem problem(1);
  const Sample climate = random_line(12, 30, 5, -1);
  const Matrix states = problem.layout.pack(climate);
  const RowVector before = problem.before().row(0);
  const Kalman exact = kalman(anomalies_of(states).rowwise() + before, problem.observations);
  const Analysis analysis = problem.run({.method = MethodKind::three_d_var}, states);
  CHECK((analysis.members.row(0) - exact.mean).norm() < 1e-7);  // H is linearised by differences of 1e-4
  const Kalman of_climate = kalman(states, problem.observations);
  CHECK((problem.run({.method = MethodKind::interpolation}, states).members.row(0) - of_climate.mean).norm() < 1e-7);
  // Half of it is half of it.
  const Kalman half = kalman((std::sqrt(0.5) * anomalies_of(states)).rowwise() + before, problem.observations);
  CHECK((problem.run({.method = MethodKind::three_d_var, .background_scale = 0.5}, states).members.row(0) - half.mean)
            .norm() < 1e-7);
}

TEST_CASE("filters: local analyses see what is near, and nothing else", "[assimilation]")
{
  Problem problem;
  const MethodOptions options{.method = MethodKind::letkf, .members = 8, .localisation = 1.2};
  const Matrix before = problem.run(options).members;
  problem.observations.values[0] += 1;  // at x = 0: reaches x = 10, 11, 0, 1, 2 of the circle
  const Matrix after = problem.run(options).members;
  for (Eigen::Index x = 0; x < 12; ++x) {
    INFO("x " << x);
    const bool near = x <= 2 || x >= 10;
    CHECK(((after - before).col(x).norm() > 1e-6) == near);
  }
}

TEST_CASE("filters: the transform is its definition, however far from the unit matrix", "[assimilation]")
{
  for (const double size : {0.01, 1.0, 5.0, 100.0}) {
    INFO("anomalies of " << size);
    const Eigen::Index n = 13;
    const Matrix s = size * anomalies_of(normal(1, "s", 0, n, 29));
    const RowVector d = normal(1, "d", 0, 1, 29).row(0);
    EnsembleTransform transform;
    transform.compute(s, d, 7.5);
    Eigen::MatrixXd a = s * s.transpose();
    a.diagonal().array() += 7.5;
    const Matrix& t = transform.root();
    CHECK((t - t.transpose()).norm() < 1e-14 * t.norm());
    CHECK((t * a * t - 12 * Eigen::MatrixXd::Identity(n, n)).norm() < 1e-11 * std::sqrt(a.norm() / 7.5) * 12);
    CHECK((t * transform.inverse_root() - Eigen::MatrixXd::Identity(n, n)).norm() < 1e-10);
    const Vector w = a.llt().solve(s * d.transpose());
    CHECK((transform.mean_weights() - w).norm() < 1e-10 * w.norm());
    CHECK((transform.weights() - t - Vector::Ones(n) * w.transpose()).norm() < 1e-10);
    CHECK((t * Vector::Ones(n) - std::sqrt(12 / 7.5) * Vector::Ones(n)).norm() < 1e-11);
  }
}

TEST_CASE("filters: rotations keep mean and covariance, and are not always the same", "[assimilation]")
{
  const Matrix members = normal(3, "members", 0, 9, 5);
  const Matrix anomalies = anomalies_of(members);
  Matrix turned = anomalies, other = anomalies;
  rotate(turned, normal(3, "rotation", 1, 8, 9));
  rotate(other, normal(3, "rotation", 2, 8, 9));
  CHECK(mean_of(turned).norm() < 1e-14);
  CHECK((turned.transpose() * turned - anomalies.transpose() * anomalies).norm() < 1e-12);
  CHECK((turned - anomalies).norm() > 0.5);
  CHECK((turned - other).norm() > 0.5);
}

TEST_CASE("filters: inflation does what its names say", "[assimilation]")
{
  Problem problem;
  const auto spread = [](const Matrix& members) { return variance_of(members).cwiseSqrt().eval(); };
  const Analysis plain = problem.run({});
  const Matrix without = problem.run({.members = 8}).members;
  const Analysis full = problem.run({.members = 8, .inflation = {.rtps = 1}});
  CHECK((spread(full.members) - spread(full.forecast)).norm() < 1e-12);
  CHECK((mean_of(full.members) - mean_of(without)).norm() < 1e-12);
  const Analysis prior = problem.run({.members = 8, .inflation = {.rtpp = 1}});
  CHECK((anomalies_of(prior.members) - anomalies_of(prior.forecast)).norm() < 1e-12);
  CHECK((spread(problem.run({.members = 8, .inflation = {.factor = 1.5}}).members) - 1.5 * spread(without)).norm() <
        1e-12);
  // Innovations far beyond the spread ask for more of it.
  problem.observations.values.setConstant(30);
  CHECK(spread(problem.run({.members = 8, .inflation = {.adaptive = true}}).forecast).norm() >
        spread(plain.forecast).norm());
}

TEST_CASE("filters: the particle filter is Bayes' rule where there are enough particles", "[assimilation]")
{
  // One variable, prior N(0, 1), seen with deviation .5: posterior N(.8 y, .2).
  Scaling model(1);
  const Sample start = random_line(1, 20000, 2);
  const StateLayout layout(start, {"u"});
  Observations seen = line_observations(layout, 1, 0.5, 3);
  seen.values[0] = 0.9;
  const auto method =
      make_method({.method = MethodKind::particle, .members = 20000, .jitter = 0.1, .resample = GENERATE(0.0, 1.0)},
                  layout.grid(), {});
  const Forecast forecast(model, layout, {}, 1);
  const Analysis first = method->cycle(layout.pack(start), 0, {&seen, 1}, forecast, 0);
  CHECK_THAT(mean_of(first.members, first.weights)[0], WithinAbs(0.72, 0.015));
  CHECK_THAT(variance_of(first.members, first.weights)[0], WithinAbs(0.2, 0.01));
  // Seen again, whether drawn again between or not: N(8/9 · .9, 1/9).
  seen.time = 2;
  const Analysis second = method->cycle(first.members, 1, {&seen, 1}, forecast, 1);
  CHECK_THAT(mean_of(second.members, second.weights)[0], WithinAbs(0.8, 0.015));
  CHECK_THAT(variance_of(second.members, second.weights)[0], WithinAbs(1.0 / 9, 0.006));
}

TEST_CASE("filters: a member that blows up stops the run by name, or becomes another", "[assimilation][error]")
{
  class Exploding : public Scaling {
   public:
    Exploding() : Scaling(1) {}
    Sample advance(const Sample& state, double duration) override
    {
      Sample after = Scaling::advance(state, duration);
      Tensor values = after.fields["u"].values.clone();
      for (std::int64_t i = 0; i < values.size(0); ++i)
        if (values[i][0][0].item<double>() > 1e3) values[i][0][0] = std::numeric_limits<double>::infinity();
      after.fields["u"].values = values;
      return after;
    }
  } model;
  Sample start = random_line(12, 5, 1);
  start.fields["u"].values[3][0][0] = 2e3;
  const StateLayout layout(start, {"u"});
  const Matrix members = layout.pack(start);
  const Forecast stopping(model, layout, {}, 7), replacing(model, layout, {.blow_up = BlowUp::replace}, 7);
  CHECK(says(message_of([&] { stopping.advance(members, 0, 1, 17); }),
             {"cycle 17", "member 3 of 5", "blow_up = \"replace\""}));
  const Matrix after = replacing.advance(members, 0, 1, 17);
  CHECK(after.allFinite());
  CHECK((after.topRows(3) - members.topRows(3)).norm() == 0);
}

TEST_CASE("filters: options that cannot be are refused", "[assimilation][error]")
{
  const Grid grid = random_line(12, 1, 1).grid();
  const auto message = [&](const MethodOptions& options) {
    return message_of([&] { make_method(options, grid, [](std::int64_t) { return Matrix(); }); });
  };
  CHECK(says(message({.members = 1}), {"assimilation.members", "1", "no spread"}));
  CHECK(says(message({.method = MethodKind::letkf}), {"assimilation.localisation", "letkf is local", "etkf"}));
  CHECK(says(message({.inflation = {.rtps = 2}}), {"rtps", "2", "0 to 1"}));
  CHECK(says(message({.method = MethodKind::ienks, .lag = 0}), {"assimilation.lag", "0", "at least 1"}));
}

TEST_CASE("filters: ranks share members and points, and come to the same bits", "[ranks2][ranks4]")
{
  const Communicator world(MPI_COMM_WORLD);
  for (const auto kind : {MethodKind::letkf, MethodKind::etkf, MethodKind::enkf, MethodKind::ensrf}) {
    INFO(name_of(kind));
    Problem problem(7);
    const MethodOptions options{.method = kind, .members = 7, .localisation = kind == MethodKind::etkf ? 0 : 2.5};
    const Matrix alone = problem.run(options).members;
    const Forecast shared(problem.model, problem.layout, {}, 7, world);
    const auto method = make_method(options, problem.layout.grid(), {});
    const Matrix together =
        method->cycle(problem.layout.pack(problem.start), 0, {&problem.observations, 1}, shared, 0).members;
    CHECK((alone - together).cwiseAbs().maxCoeff() == 0);
  }
}
