#include <locum/core/sobol.hpp>

#include <cmath>

#include "support/catch.hpp"

using locum::sobol_points;

TEST_CASE("Sobol's points: every slice has one, and so has every pair of slices of the first two axes",
          "[core][property]")
{
  const std::int64_t count = 256;
  const auto points = sobol_points(count, 6, 5);
  CHECK(points.min().item<double>() >= 0);
  CHECK(points.max().item<double>() < 1);
  for (std::int64_t axis = 0; axis < 6; ++axis) {
    const auto slices = (points.select(1, axis) * double(count)).floor().to(torch::kInt64);
    CHECK(torch::equal(std::get<0>(slices.sort()), torch::arange(count)));
  }
  // The first two axes are a (0, 2)-sequence in base 2: any box of 2^-a times 2^-b with a + b = 8 holds one point.
  for (int a = 1; a < 8; ++a) {
    const auto box = (points.select(1, 0) * std::exp2(a)).floor() * std::exp2(8 - a) +
                     (points.select(1, 1) * std::exp2(8 - a)).floor();
    CHECK(torch::equal(std::get<0>(box.to(torch::kInt64).sort()), torch::arange(count)));
  }
}

TEST_CASE("Sobol's points: more begin with the same, other seeds are others", "[core][property]")
{
  const auto points = sobol_points(10, 3, 1);
  CHECK(torch::equal(sobol_points(4, 3, 1), points.narrow(0, 0, 4)));
  CHECK(torch::equal(sobol_points(1, 3, 1), points.narrow(0, 0, 1)));
  CHECK_FALSE(torch::equal(sobol_points(10, 3, 2), points));
}
