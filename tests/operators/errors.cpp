#include <locum/core/random.hpp>
#include <locum/operators/errors.hpp>

#include <cmath>

#include "support/catch.hpp"

using namespace locum;
using namespace locum::operators;

TEST_CASE("errors: as their definitions say, for errors one can compute by hand", "[operators]")
{
  const std::int64_t n = 32;
  const Tensor x = torch::arange(n, torch::kFloat64) * (2 * M_PI / n);
  const Tensor truth = torch::stack({2 * x.sin(), 4 * x.sin()}).unsqueeze(1);  // two samples
  SECTION("a constant")
  {
    ErrorStatistics statistics;
    statistics.add(truth + 0.5, truth);
    auto found = statistics.results();
    CHECK_THAT(found["rmse"], WithinAbs(0.5, 1e-14));
    CHECK_THAT(found["conserved_rmse"], WithinAbs(0.5, 1e-14));
    CHECK_THAT(found["boundary_rmse"], WithinAbs(0.5, 1e-14));
    CHECK_THAT(found["max_error"], WithinAbs(0.5, 1e-14));
    CHECK_THAT(found["nrmse"], WithinAbs((0.5 / std::sqrt(2) + 0.5 / std::sqrt(8)) / 2, 1e-14));
    CHECK_THAT(found["frmse_low"], WithinAbs(0.5 / 4, 1e-14));  // at wave number 0 of four
    CHECK_THAT(found["frmse_mid"], WithinAbs(0, 1e-14));
  }
  SECTION("a wave, sample after sample or at once")
  {
    const Tensor wave = (6 * x).cos().expand({2, 1, n});
    ErrorStatistics at_once, one_by_one;
    at_once.add(truth + wave, truth);
    for (std::int64_t i = 0; i < 2; ++i) one_by_one.add((truth + wave).narrow(0, i, 1), truth.narrow(0, i, 1));
    const auto found = at_once.results(), again = one_by_one.results();
    for (const auto& [name, value] : found) CHECK_THAT(value, WithinAbs(again.at(name), 1e-14));
    CHECK_THAT(found.at("rmse"), WithinAbs(std::sqrt(0.5), 1e-14));
    CHECK_THAT(found.at("conserved_rmse"), WithinAbs(0, 1e-14));
    CHECK_THAT(found.at("frmse_mid"), WithinAbs(0.5 / 8, 1e-14));  // |ê| = 1/2 at one of eight wave numbers
    CHECK_THAT(found.at("frmse_high"), WithinAbs(0, 1e-14));
  }
  SECTION("the mean of a field has vrmse 1")
  {
    const Tensor field = RandomStream(1, "u").normal({5, 2, 16, 16}) + 3;
    ErrorStatistics statistics;
    statistics.add(field.mean({2, 3}, true).expand_as(field), field);
    CHECK_THAT(statistics.results()["vrmse"], WithinAbs(1, 3e-3));  // var divides by n − 1
  }
  SECTION("planes: edges count once a side, shells are quarter circles")
  {
    Tensor error = torch::zeros({1, 1, 8, 8}, torch::kFloat64);
    error.select(2, 0).fill_(1);
    ErrorStatistics statistics;
    const Tensor field = torch::ones({1, 1, 8, 8}, torch::kFloat64);
    statistics.add(field + error, field);
    CHECK_THAT(statistics.results()["boundary_rmse"], WithinAbs(std::sqrt((8.0 + 1 + 1) / 32), 1e-14));
  }
}

TEST_CASE("errors: a wave that lags is correlated by the cosine of its lag, and for as long", "[operators]")
{
  const Tensor x = torch::arange(64, torch::kFloat64) * (2 * M_PI / 64);
  std::vector<Tensor> correlations;
  for (int step = 1; step <= 10; ++step) {
    const Tensor wave = (3 * (x - 0.05 * step).sin() + 7).view({1, 1, 64}), truth = x.sin().view({1, 1, 64});
    correlations.push_back(correlation_of(wave, truth).mean());
    CHECK_THAT(correlations.back().item<double>(), WithinAbs(std::cos(0.05 * step), 1e-12));
  }
  const Tensor all = torch::stack(correlations);
  CHECK_THAT(correlation_time(all, 0.5, 0.9), WithinAbs(0.5 * 10, 1e-12));  // cos .45 = .9004, cos .50 = .8776
  CHECK_THAT(correlation_time(all, 0.5, 0.95), WithinAbs(0.5 * 7, 1e-12));  // cos .30 = .9553, cos .35 = .9394
  CHECK_THAT(correlation_time(all, 0.5, 0.8), WithinAbs(0.5 * 10, 1e-12));  // never: as long as it lasts
  CHECK(correlation_of(torch::ones({1, 1, 8}), torch::rand({1, 1, 8})).item<double>() == 0);
}

TEST_CASE("errors: the interval of a mean is that of the normal distribution", "[operators][property]")
{
  const Tensor errors = RandomStream(3, "errors").normal({400}) + 10;
  const auto [low, high] = confidence_of_mean(errors);
  const double mean = errors.mean().item<double>(), deviation = errors.std().item<double>() / 20;
  CHECK_THAT(low, WithinAbs(mean - 1.96 * deviation, 0.2 * deviation));
  CHECK_THAT(high, WithinAbs(mean + 1.96 * deviation, 0.2 * deviation));
  CHECK(confidence_of_mean(errors) == std::pair{low, high});
}
