#include <locum/assimilation/discovery/regression.hpp>
#include <locum/core/options.hpp>
#include <locum/core/random.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum;
using namespace locum::assimilation;
using Eigen::MatrixXd;
using Eigen::VectorXd;

static MatrixXd random_matrix(std::int64_t rows, std::int64_t columns, std::uint64_t seed)
{
  const torch::Tensor values = RandomStream(seed, "regression").normal({columns, rows});
  return Eigen::Map<const MatrixXd>(values.data_ptr<double>(), rows, columns);
}

/// Ten columns of very different sizes, the target two of them and noise.
static std::pair<MatrixXd, VectorXd> small_problem(double noise)
{
  MatrixXd columns = random_matrix(200, 10, 1);
  columns.col(2) *= 1e3;
  columns.col(7) *= 0.5;
  return {columns, 2e-3 * columns.col(2) - 0.5 * columns.col(4) + noise * random_matrix(200, 1, 2).col(0)};
}

TEST_CASE("relevance vector machine: its fixed point satisfies the equations it is of", "[assimilation]")
{
  const auto [columns, target] = small_problem(0.1);
  const SparseFit fit = RegressionProblem(columns, target).relevance_fixed_point(1e-8, 1e-6);
  REQUIRE(fit.converged);
  REQUIRE(fit.terms() >= 2);
  // α (m² + Σ) = 1 is α = γ / m²: α and, from it, everything else follow from what is returned.
  std::vector<Eigen::Index> kept;
  for (Eigen::Index i = 0; i < 10; ++i)
    if (fit.coefficients[i] != 0) kept.push_back(i);
  const MatrixXd phi = columns(Eigen::all, kept);
  const VectorXd m = fit.coefficients(kept), variances = fit.deviations(kept).array().square();
  const VectorXd alpha = (m.array().square() + variances.array()).inverse();
  const double residual = (target - phi * m).squaredNorm();
  const double beta = (200 - (1 - alpha.array() * variances.array()).sum()) / residual;
  MatrixXd precision = beta * phi.transpose() * phi;
  precision.diagonal() += alpha;
  const MatrixXd sigma = precision.inverse();
  CHECK((sigma.diagonal() - variances).norm() / variances.norm() < 1e-5);
  CHECK((beta * sigma * phi.transpose() * target - m).norm() / m.norm() < 1e-5);
  CHECK_THAT(fit.mean_square * 200, WithinRel(residual, 1e-9));
}

TEST_CASE("relevance vector machine: orthogonal columns have a solution in closed form", "[assimilation]")
{
  // With ΦᵀΦ = n I and noise of precision β, maximising the likelihood of each coefficient alone gives
  // α = nβ / (nβ z² − 1) for the least squares estimate z, m = z (1 − 1 / (nβ z²)); pruned if nβ z² < 1.
  const std::int64_t n = 64;
  const MatrixXd random = random_matrix(n, 4, 5);
  const MatrixXd columns =
      Eigen::HouseholderQR<MatrixXd>(random).householderQ() * MatrixXd::Identity(n, 4) * std::sqrt(double(n));
  const VectorXd target = columns.col(0) - 0.4 * columns.col(3) + 0.3 * random_matrix(n, 1, 6).col(0);
  for (const Regression regression : {Regression::relevance, Regression::fast_relevance}) {
    const SparseFit fit = RegressionProblem(columns, target).fit(regression, 0.01, 1e-7);
    REQUIRE(fit.converged);
    double gamma = 0;
    for (Eigen::Index i = 0; i < 4; ++i)
      if (fit.coefficients[i] != 0)
        gamma +=
            1 - std::pow(fit.deviations[i], 2) / (std::pow(fit.coefficients[i], 2) + std::pow(fit.deviations[i], 2));
    const double beta = (double(n) - gamma) / (fit.mean_square * double(n));
    for (Eigen::Index i = 0; i < 4; ++i) {
      const double z = columns.col(i).dot(target) / double(n), signal = double(n) * beta * z * z;
      if (fit.coefficients[i] != 0) CHECK_THAT(fit.coefficients[i], WithinRel(z * (1 - 1 / signal), 1e-5));
      else CHECK(signal < 1.02);
    }
    CHECK(fit.coefficients[0] != 0);
    CHECK(fit.coefficients[3] != 0);
  }
}

TEST_CASE("regression: terms of any size are found, with deviations that hold the truth", "[assimilation]")
{
  const auto [columns, target] = small_problem(0.1);
  const RegressionProblem problem(columns, target);
  const auto regression = GENERATE(Regression::relevance, Regression::fast_relevance, Regression::thresholded);
  CAPTURE(name_of(regression));
  const SparseFit fit = problem.fit(regression, 1e-3, 1e-6);
  CHECK(std::abs(fit.coefficients[2] - 2e-3) < 4 * fit.deviations[2]);
  CHECK(std::abs(fit.coefficients[4] + 0.5) < 4 * fit.deviations[4]);
  CHECK_THAT(fit.deviations[4], WithinRel(0.1 / columns.col(4).norm(), 0.2));
  const SparseFit strict = problem.fit(regression, 0.2, 1e-6);
  CHECK(strict.terms() == 1);
  CHECK(strict.coefficients[4] != 0);
}

TEST_CASE("regression: without noise the coefficients are exact", "[assimilation]")
{
  const auto [columns, target] = small_problem(0);
  const RegressionProblem problem(columns, target);
  for (const Regression regression : {Regression::relevance, Regression::fast_relevance, Regression::thresholded}) {
    CAPTURE(name_of(regression));
    const SparseFit fit = problem.fit(regression, 1e-4, 0.1);
    CHECK(fit.terms() == 2);
    CHECK_THAT(fit.coefficients[2], WithinRel(2e-3, 1e-12));
    CHECK_THAT(fit.coefficients[4], WithinRel(-0.5, 1e-12));
    CHECK(fit.mean_square < 1e-24 * problem.mean_square());
  }
}

TEST_CASE("regression: what cannot be regressed is refused", "[assimilation][error]")
{
  const auto message = [](const MatrixXd& columns, const VectorXd& target) {
    return tests::message_of([&] { RegressionProblem(columns, target); });
  };
  CHECK(
      tests::says(message(MatrixXd::Ones(3, 4), VectorXd::Ones(3)), {"3 values of 4 terms", "more discovery.samples"}));
  VectorXd bad = VectorXd::Ones(5);
  bad[3] = NAN;
  CHECK(tests::says(message(MatrixXd::Ones(5, 2), bad), {"the increments", "not finite"}));
  const SparseFit zero = RegressionProblem(MatrixXd::Zero(5, 2), VectorXd::Zero(5)).relevance_fixed_point(0.1, 0.1);
  CHECK(zero.terms() == 0);
}

TEST_CASE("L-curve: the corner is where further terms explain nothing", "[assimilation]")
{
  const auto point = [](Eigen::Index terms, double mean_square) {
    VectorXd coefficients = VectorXd::Zero(10);
    coefficients.head(terms).setOnes();
    return LCurvePoint{0, {.coefficients = coefficients, .deviations = coefficients, .mean_square = mean_square}};
  };
  CHECK(corner({point(9, 0.9e-6), point(5, 0.95e-6), point(2, 1e-6), point(1, 0.3)}, 1) == 2);
  CHECK(corner({point(1, 1e-8), point(1, 1e-9), point(0, 1)}, 1) == 1);
  CHECK(corner({point(3, 1e-8), point(2, 0.2), point(1, 0.5)}, 1) == 0);
}
