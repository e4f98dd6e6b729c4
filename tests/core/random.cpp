#include <locum/core/random.hpp>

#include "support/catch.hpp"

using namespace locum;

TEST_CASE("random streams: same name same numbers, whatever was drawn before", "[core][property]")
{
  const auto alone = RandomStream(7, "permeability", 3).normal({5});
  RandomStream(7, "shuffle", 0).permutation(100);
  CHECK(torch::equal(RandomStream(7, "permeability", 3).normal({5}), alone));
  CHECK_FALSE(torch::equal(RandomStream(7, "permeability", 4).normal({5}), alone));
  CHECK_FALSE(torch::equal(RandomStream(8, "permeability", 3).normal({5}), alone));
  CHECK_FALSE(torch::equal(RandomStream(7, "weights", 3).normal({5}), alone));
}

TEST_CASE("random streams: moments and independence within five standard errors", "[core][property]")
{
  const std::int64_t n = 100000;
  const auto x = RandomStream(1, "x").normal({n});
  const auto y = RandomStream(1, "x", 1).normal({n});
  const double standard_error = 1 / std::sqrt(double(n));
  CHECK_THAT(x.mean().item<double>(), WithinAbs(0, 5 * standard_error));
  CHECK_THAT(x.var().item<double>(), WithinAbs(1, 5 * std::sqrt(2.0) * standard_error));
  CHECK_THAT((x.pow(4)).mean().item<double>(), WithinAbs(3, 5 * std::sqrt(96.0) * standard_error));
  CHECK_THAT((x * y).mean().item<double>(), WithinAbs(0, 5 * standard_error));
  const auto u = RandomStream(1, "u").uniform({n});
  CHECK_THAT(u.mean().item<double>(), WithinAbs(0.5, 5 * standard_error / std::sqrt(12.0)));
  CHECK(u.min().item<double>() > 0);
  CHECK(u.max().item<double>() < 1);
}

TEST_CASE("permutation: every number once", "[core][property]")
{
  const auto order = RandomStream(3, "shuffle", 2).permutation(1000);
  CHECK(torch::equal(std::get<0>(order.sort()), torch::arange(1000)));
  CHECK_FALSE(torch::equal(order, torch::arange(1000)));
}
