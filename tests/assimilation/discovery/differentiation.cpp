#include <locum/assimilation/discovery/differentiation.hpp>
#include <locum/physics/periodic/periodic_equation.hpp>

#include <cmath>
#include <numbers>

#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum;
using namespace locum::assimilation;

static constexpr double length = 2 * std::numbers::pi;

static Grid line(std::int64_t points, bool periodic)
{
  Grid grid = physics::periodic_grid({points}, {length});
  grid.axes[0].periodic = periodic;
  return grid;
}

/// exp(sin x) and its derivatives.
static Tensor wave(const Tensor& x, int derivative)
{
  const Tensor s = x.sin(), c = x.cos(), e = s.exp();
  if (derivative == 0) return e;
  if (derivative == 1) return e * c;
  if (derivative == 2) return e * (c.square() - s);
  if (derivative == 3) return e * c * (c.square() - 3 * s - 1);
  return e * (c.pow(4) - 6 * s * c.square() - 4 * c.square() + 3 * s.square() + s);
}

TEST_CASE("finite differences: weights of the textbooks", "[assimilation]")
{
  const auto second = finite_difference_weights({-1, 0, 1}, 2);
  CHECK_THAT(second[0], WithinAbs(1, 1e-14));
  CHECK_THAT(second[1], WithinAbs(-2, 1e-14));
  const auto one_sided = finite_difference_weights({0, 1, 2}, 1);
  CHECK_THAT(one_sided[0], WithinAbs(-1.5, 1e-14));
  CHECK_THAT(one_sided[1], WithinAbs(2, 1e-14));
  const auto fourth = finite_difference_weights({-2, -1, 0, 1, 2}, 1);
  CHECK_THAT(fourth[0], WithinAbs(1.0 / 12, 1e-14));
  CHECK_THAT(fourth[3], WithinAbs(2.0 / 3, 1e-14));
}

TEST_CASE("finite differences: of the order asked for, also at edges", "[assimilation][order]")
{
  const auto derivative = GENERATE(1, 2, 3, 4);
  const auto order = GENERATE(2, 4);
  const bool periodic = GENERATE(true, false);
  const auto error = [&](std::int64_t points) {
    const Grid grid = line(points, periodic);
    const Tensor x = grid.coordinates(0);
    const Tensor found =
        differentiate(wave(x, 0).unsqueeze(0), grid, {derivative, 0, 0}, Differentiation::finite_differences, order);
    return (found[0] - wave(x, derivative)).abs().max().item<double>();
  };
  const double observed = std::log2(error(128) / error(256));
  CAPTURE(derivative, order, periodic, observed);
  CHECK(observed > order - 0.35);
}

TEST_CASE("spectral derivatives: exact of waves, along each axis of the plane", "[assimilation]")
{
  const Grid grid = physics::periodic_grid({24, 32}, {length, length});
  const Tensor y = grid.coordinates(0).unsqueeze(1), x = grid.coordinates(1);
  const Tensor u = ((2 * x).sin() * (3 * y).cos()).unsqueeze(0);
  const Tensor found = differentiate(u, grid, {2, 1, 0}, Differentiation::spectral, 4);
  CHECK((found[0] - 12 * (2 * x).sin() * (3 * y).sin()).abs().max().item<double>() < 1e-12);
  CHECK(tests::says(tests::message_of([&] {
                      differentiate(torch::zeros({1, 16}), line(16, false), {1, 0, 0}, Differentiation::spectral, 4);
                    }),
                    {"axis x is not periodic", "finite_differences"}));
}

TEST_CASE("weak form: integrals converge as fast as test functions are smooth", "[assimilation][order]")
{
  const auto derivative = GENERATE(0, 1, 2, 4);
  constexpr std::int64_t smoothness = 6;
  const auto at_centre = [&](std::int64_t points) {  // of the support, which is the same on every grid
    const TestFunctions test(line(points, false), {points / 4}, smoothness);
    const Tensor x = line(points, false).coordinates(0);
    return test.integrate(wave(x, 0).unsqueeze(0), {derivative, 0, 0})[0][points / 8].item<double>();
  };
  // ⟨ψ, ∂u⟩ with the derivative of u itself
  const TestFunctions fine(line(4096, false), {1024}, smoothness);
  const double exact =
      fine.integrate(wave(line(4096, false).coordinates(0), derivative).unsqueeze(0), {})[0][512].item<double>();
  const double coarse = std::abs(at_centre(32) - exact), finer = std::abs(at_centre(64) - exact);
  CAPTURE(derivative, coarse, finer);
  CHECK(std::log2(coarse / finer) > smoothness + 1 - derivative - 0.2);
}

TEST_CASE("weak form: centres are all points along a periodic axis, else those whose support fits", "[assimilation]")
{
  Grid grid = physics::periodic_grid({20, 32}, {length, length});
  grid.axes[0].periodic = false;
  const TestFunctions test(grid, {3, 4}, 5);
  CHECK(test.integrate(torch::ones({2, 20, 32}, torch::kFloat64), {}).sizes() == torch::IntArrayRef({2, 14, 32}));
  CHECK((test.integrate(torch::ones({2, 20, 32}, torch::kFloat64), {}) - 1).abs().max().item<double>() < 1e-3);
  CHECK(
      tests::says(tests::message_of([&] { TestFunctions(grid, {10}, 5); }), {"discovery.support", "within the grid"}));
  CHECK(tests::says(tests::message_of([&] {
                      test.integrate(torch::ones({1, 20, 32}, torch::kFloat64), {5, 0, 0});
                    }),
                    {"discovery.smoothness", "smoothness = 9"}));
}
