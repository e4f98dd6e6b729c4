#include <locum/core/random.hpp>
#include <locum/physics/gaussian_random_field.hpp>

#include <cmath>
#include <numbers>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using physics::GaussianRandomField;

static Grid square(std::int64_t ny, std::int64_t nx) { return Grid::cell_centres({ny, nx}, {1, 1}); }

TEST_CASE("Gaussian random field: the same function on every grid", "[physics][property]")
{
  const auto seed = GENERATE(range(0, 3));
  RandomStream random(static_cast<std::uint64_t>(seed), "field");
  const Tensor coefficients = GaussianRandomField(3, 2).draw(random);
  const Tensor coarse = GaussianRandomField::evaluate(coefficients, square(32, 21));
  const Tensor fine = GaussianRandomField::evaluate(coefficients, square(96, 63));  // every third centre is the same
  const Tensor common = fine.slice(0, 1, {}, 3).slice(1, 1, {}, 3);
  CHECK_THAT(tests::relative_distance(common, coarse), WithinAbs(0, 1e-13));  // rounding of 128² terms
}

TEST_CASE("Gaussian random field: modes have the variance of (−Δ + τ²)^−α", "[physics][property]")
{
  const double tau = 3, alpha = 2, pi = std::numbers::pi;
  const std::int64_t draws = 1000;
  const Grid grid = square(64, 64);
  const Tensor y = grid.coordinates(0).unsqueeze(1), x = grid.coordinates(1);
  const GaussianRandomField field(tau, alpha);
  std::vector<Tensor> functions;
  for (std::int64_t i = 0; i < draws; ++i) {
    RandomStream random(5, "field", static_cast<std::uint64_t>(i));
    functions.push_back(GaussianRandomField::evaluate(field.draw(random), grid));
  }
  const Tensor g = torch::stack(functions);

  for (const auto& [j, k] : std::vector<std::pair<int, int>>{{1, 0}, {0, 1}, {1, 1}, {2, 3}, {7, 0}}) {
    CAPTURE(j, k);
    const double norm = (j ? std::numbers::sqrt2 : 1) * (k ? std::numbers::sqrt2 : 1);
    const Tensor mode = (y * (j * pi)).cos() * (x * (k * pi)).cos() * norm;
    const Tensor xi = (g * mode).mean({1, 2});  // the midpoint rule is exact for cosines that the grid resolves
    const double expected = std::pow(pi * pi * (j * j + k * k) + tau * tau, -alpha);
    CHECK_THAT(xi.square().mean().item<double>() / expected, WithinAbs(1, 5 * std::sqrt(2.0 / draws)));
    CHECK_THAT(xi.mean().item<double>() / std::sqrt(expected), WithinAbs(0, 5 / std::sqrt(double(draws))));
  }
  const double rms = field.standard_deviation();
  CHECK_THAT(g.square().mean().item<double>() / (rms * rms), WithinAbs(1, 5 * std::sqrt(2.0 / draws)));
  CHECK_THAT(g.mean({1, 2}).abs().max().item<double>(), WithinAbs(0, 1e-15));  // no constant
}

TEST_CASE("Gaussian random field: a covariance without trace is refused", "[physics][error]")
{
  CHECK(tests::says(tests::message_of([] { GaussianRandomField(3, 1); }), {"alpha = 1", "alpha > 1"}));
}
