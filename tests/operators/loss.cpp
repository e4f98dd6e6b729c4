#include <locum/core/random.hpp>
#include <locum/operators/training/loss.hpp>

#include <cmath>
#include <numbers>

#include "support/catch.hpp"
#include "support/errors.hpp"

using namespace locum;
using namespace locum::operators;

static constexpr double pi = std::numbers::pi;

/// Coordinates 0, 1/n, … on [0, 1).
static Tensor coordinates(std::int64_t n) { return torch::arange(n, torch::kFloat64) / n; }

TEST_CASE("relative L2: ratio of norms sample by sample, then their mean", "[operators]")
{
  const Tensor truth = torch::tensor({{3.0, 4.0}, {30.0, 40.0}}).view({2, 1, 2});
  const Tensor prediction = truth + torch::tensor({{0.0, 1.0}, {3.0, 4.0}}).view({2, 1, 2});
  const Tensor errors = errors_of(Loss::relative_l2, prediction, truth);
  CHECK_THAT(errors[0].item<double>(), WithinAbs(1.0 / 5, 1e-15));
  CHECK_THAT(errors[1].item<double>(), WithinAbs(5.0 / 50, 1e-15));
  CHECK_THAT(loss_of(Loss::relative_l2, prediction, truth).item<double>(), WithinAbs(0.15, 1e-15));
}

TEST_CASE("mse: mean square over samples, channels and points", "[operators]")
{
  const Tensor truth = torch::zeros({2, 1, 2});
  const Tensor prediction = torch::tensor({{1.0, 2.0}, {3.0, 4.0}}).view({2, 1, 2});
  CHECK_THAT(loss_of(Loss::mse, prediction, truth).item<double>(), WithinAbs(30.0 / 4, 1e-15));
}

TEST_CASE("H1: second order towards the Sobolev norm", "[operators][order]")
{
  // t = sin 2πx sin 2πy: ‖t‖² = 1/4, ‖∇t‖² = 2 (2π)²/4.  p − t = sin 4πx cos 2πy: 1/4 and ((4π)² + (2π)²)/4.
  const double exact = std::sqrt((1 + 20 * pi * pi) / (1 + 8 * pi * pi));
  std::vector<double> errors;
  for (const std::int64_t n : {32, 64, 128, 256}) {
    const Tensor y = coordinates(n).view({1, 1, n, 1}), x = coordinates(n).view({1, 1, 1, n});
    const Tensor truth = (2 * pi * x).sin() * (2 * pi * y).sin();
    const Tensor prediction = truth + (4 * pi * x).sin() * (2 * pi * y).cos();
    errors.push_back(std::abs(loss_of(Loss::h1, prediction, truth).item<double>() - exact));
  }
  CAPTURE(errors);
  CHECK_THAT(std::log2(errors[2] / errors[3]), WithinAbs(2.0, 0.1));
}

TEST_CASE("H1, periodic: a wave's central difference is its own, at the edges too", "[operators]")
{
  const std::int64_t n = 17;
  const Tensor x = torch::arange(n, torch::kFloat64) * (2 * M_PI / n);
  const Tensor truth = x.sin().view({1, 1, n}), prediction = truth + 0.1 * (3 * x).cos().view({1, 1, n});

  const auto wave_number = [&](double k) { return n * std::sin(2 * M_PI * k / n); };  // of the difference over 2/n
  const double expected = 0.1 * std::sqrt((1 + std::pow(wave_number(3), 2)) / (1 + std::pow(wave_number(1), 2)));
  CHECK_THAT(loss_of(Loss::h1, prediction, truth, Edges::periodic).item<double>(), WithinAbs(expected, 1e-13));
}

TEST_CASE("H1: exact for a parabola that does not match at the edges", "[operators]")
{
  // Differences of second order are exact for x², also at the edges: Σ (x⁴ + 4x²) against Σ 1 for truth 1.
  const Tensor x = coordinates(10).view({1, 1, 10});
  const Tensor truth = torch::ones_like(x);
  const double expected = std::sqrt((x.pow(4) + 4 * x.pow(2)).sum().item<double>() / 10);
  CHECK_THAT(loss_of(Loss::h1, truth + x * x, truth).item<double>(), WithinAbs(expected, 1e-13));
}

TEST_CASE("H1, spectral: exact for waves", "[operators]")
{
  for (const std::int64_t n : {16, 17}) {
    const Tensor x = coordinates(n).view({1, 1, 1, n}), y = coordinates(12).view({1, 1, 12, 1});
    const Tensor truth = (2 * pi * x).sin() * (2 * pi * y).cos(), prediction = truth + 0.1 * (6 * pi * x).cos() + 0 * y;
    // ‖t‖² = 1/4 and ‖∇t‖² = 2 (2π)²/4; of the error 0.01/2 and 0.01 (6π)²/2.
    const double expected = std::sqrt(0.01 / 2 * (1 + 36 * pi * pi) / ((1 + 8 * pi * pi) / 4));
    CHECK_THAT(loss_of(Loss::h1, prediction, truth, Edges::spectral).item<double>(), WithinAbs(expected, 1e-12));
  }
}

TEST_CASE("bands: energies add up, and each wave is in its own", "[operators][property]")
{
  const auto shape = GENERATE(std::vector<std::int64_t>{2, 3, 40}, std::vector<std::int64_t>{2, 3, 30, 41},
                              std::vector<std::int64_t>{2, 3, 6, 7, 8});
  const Tensor values = RandomStream(1, "u").normal(shape);
  CHECK(torch::allclose(energy_in_bands(values).sum(0), values.square().flatten(2).sum(2), 1e-12, 1e-12));

  const Tensor x = coordinates(64).view({1, 1, 64});
  for (const auto& [wave, band] : {std::pair{0, 0}, {3, 0}, {4, 1}, {11, 1}, {12, 2}, {32, 2}}) {
    const Tensor energy = energy_in_bands((2 * pi * wave * x).cos()).flatten();
    CAPTURE(wave, energy);
    CHECK_THAT(energy[band].item<double>() / energy.sum().item<double>(), WithinAbs(1, 1e-12));
  }
}

TEST_CASE("losses: weights of bands, channels and points", "[operators]")
{
  const Tensor truth = RandomStream(1, "t").normal({4, 2, 8, 32}),
               prediction = truth + RandomStream(2, "d").normal({4, 2, 8, 32});
  LossOptions options;
  const Tensor plain = errors_of(options, prediction, truth);
  options.loss = Loss::bands;
  CHECK(torch::allclose(errors_of(options, prediction, truth), plain, 1e-12));  // all weights 1
  options.bands = {0, 0, 4};
  const Tensor high = energy_in_bands(prediction - truth)[2].sum(1), all = truth.square().flatten(1).sum(1);
  CHECK(torch::allclose(errors_of(options, prediction, truth), 2 * (high / all).sqrt(), 1e-12));

  options = {};
  options.channels = {0.5, 2};
  const auto of_channel = [&](std::int64_t c) {
    return errors_of(Loss::relative_l2, prediction.narrow(1, c, 1), truth.narrow(1, c, 1));
  };
  CHECK(torch::allclose(errors_of(options, prediction, truth), 0.5 * of_channel(0) + 2 * of_channel(1), 1e-12));
  options.channels = {1};
  CHECK(tests::says(tests::message_of([&] { errors_of(options, prediction, truth); }),
                    {"loss_channels", "1 weights", "2"}));

  // Points that weigh nothing do not count; others twice are as if they were there twice.
  options = {};
  Tensor weights = torch::zeros({8, 1}, torch::kFloat64);
  weights.narrow(0, 0, 3).fill_(2);
  CHECK(torch::allclose(errors_of(options, prediction, truth, weights),
                        errors_of(Loss::relative_l2, prediction.narrow(2, 0, 3), truth.narrow(2, 0, 3)), 1e-12));
}

TEST_CASE("losses: a perfect prediction has loss 0 and a finite gradient", "[operators][property]")
{
  const auto loss = GENERATE(Loss::relative_l2, Loss::h1, Loss::mse, Loss::bands);
  const Tensor truth = torch::ones({2, 1, 5, 6});
  const Tensor prediction = truth.clone().requires_grad_();
  const Tensor value = loss_of(loss, prediction, truth);
  value.backward();
  CHECK(value.item<double>() < 1e-100);
  CHECK(prediction.grad().isfinite().all().item<bool>());
}

TEST_CASE("losses: float32 data are summed in float64", "[operators][property]")
{
  // Two million times 1e-4 beside one of 1: float32 sums lose the small ones' last digits.
  const Tensor truth = torch::full({1, 1, 2000000}, 1e-4f);
  truth[0][0][0] = 1.0f;
  const Tensor prediction = (2 * truth).requires_grad_();
  const Tensor value = loss_of(Loss::relative_l2, prediction, truth);
  CHECK_THAT(value.item<double>(), WithinAbs(1, 1e-13));
  value.backward();
  CHECK(prediction.grad().scalar_type() == torch::kFloat32);
}

TEST_CASE("losses: shapes that differ are refused, not spread over each other", "[operators][error]")
{
  const auto message = tests::message_of([] {
    loss_of(Loss::relative_l2, torch::zeros({2, 1, 8}), torch::zeros({2, 3, 8}));
  });
  CHECK(tests::says(message, {"[2, 1, 8]", "[2, 3, 8]", "output channels"}));
}
