#include <locum/operators/spectral_convolution.hpp>

#include <numbers>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::operators;
using tests::relative_distance;

namespace {

/// Float64, and of channels few enough to be quick.
std::shared_ptr<SpectralConvolution> convolution(std::vector<Band> bands)
{
  RandomStream weights(1, "weights");
  auto module =
      std::make_shared<SpectralConvolution>(3, 4, c10::make_intrusive<TransformCache>(std::move(bands)), weights);
  module->to(torch::kFloat64);
  return module;
}

Tensor random(torch::IntArrayRef shape) { return RandomStream(2, "values").normal(shape); }

/// [2, (z, y,) x, 3] of `points`, x first.
std::vector<std::int64_t> field_shape(const std::vector<std::int64_t>& points)
{
  std::vector<std::int64_t> shape = {2};
  shape.insert(shape.end(), points.rbegin(), points.rend());
  shape.push_back(3);
  return shape;
}

/// A sum of a few waves with random amplitudes and phases, |k| ≤ 6, on a grid of `points`, x first: [batch, (z, y,) x,
/// channel].
Tensor band_limited(const std::vector<std::int64_t>& points)
{
  constexpr std::int64_t waves = 12, batch = 2, channels = 3;
  const auto axes = static_cast<std::int64_t>(points.size());
  RandomStream stream(3, "waves");
  const Tensor frequency = (stream.uniform({waves, axes}) * 13 - 6.5).round();
  const Tensor amplitude = stream.normal({waves, batch, channels});
  const Tensor phase = stream.uniform({waves, batch, channels}) * 2 * std::numbers::pi;

  std::vector<std::int64_t> ones(points.size() + 3, 1);
  Tensor angle = phase;  // [wave, batch, channel] → [wave, axis 0, …, batch, channel]
  for (std::int64_t axis = 0; axis < axes; ++axis) angle = angle.unsqueeze(1);
  Tensor scale = amplitude;
  for (std::int64_t axis = 0; axis < axes; ++axis) scale = scale.unsqueeze(1);
  for (std::int64_t axis = 0; axis < axes; ++axis) {
    auto along = ones;
    along[0] = waves;
    along[static_cast<std::size_t>(axis) + 1] = points[static_cast<std::size_t>(axis)];
    const Tensor x =
        torch::arange(points[static_cast<std::size_t>(axis)], torch::kFloat64) / points[static_cast<std::size_t>(axis)];
    angle = angle + 2 * std::numbers::pi * (frequency.select(1, axis).unsqueeze(1) * x).view(along);
  }
  const Tensor field = (scale * angle.cos()).sum(0);  // [x, (y, (z,)) batch, channel]
  std::vector<std::int64_t> order = {axes};
  for (std::int64_t axis = axes; axis-- > 0;) order.push_back(axis);
  order.push_back(axes + 1);
  return field.permute(order);
}

}  // namespace

TEST_CASE("spectral convolution: small matrix products and fast Fourier transforms agree to rounding",
          "[operators][property]")
{
  struct Example {
    std::vector<Band> bands;
    std::vector<std::int64_t> points;
  };
  const auto [bands, points] =
      GENERATE(Example{{{0, 4}}, {16}}, Example{{{0, 8}}, {16}},  // with the Nyquist frequency
               Example{{{0, 3}}, {7}}, Example{{{0, 11}, {-12, 11}}, {24, 31}},
               Example{{{0, 4}, {-4, 3}}, {8, 8}},  // every frequency there is
               Example{{{0, 2}, {-2, 2}, {-3, 2}}, {8, 5, 9}}, Example{{{0, 2}, {-3, 2}, {-1, 1}}, {12, 6, 4}});
  CAPTURE(points);
  const auto module = convolution(bands);
  const Tensor values = random(field_shape(points)).requires_grad_();

  const Tensor fast = module->forward(values);
  const Tensor reference = spectral_convolution_by_fft(values, module->weight(), bands);

  CHECK_THAT(relative_distance(fast, reference), WithinAbs(0, 1e-14));
  const Tensor weights = random(fast.sizes());  // of the outputs in a functional to differentiate
  const auto gradients = [&](const Tensor& result) {
    return torch::autograd::grad({(result * weights).sum()}, {values, module->weight()}, {}, true);
  };
  const auto ours = gradients(fast), theirs = gradients(reference);
  CHECK_THAT(relative_distance(ours[0], theirs[0]), WithinAbs(0, 1e-14));
  CHECK_THAT(relative_distance(ours[1], theirs[1]), WithinAbs(0, 1e-14));
}

TEST_CASE("spectral convolution: a wave is multiplied by its matrix, at its frequency's sign", "[operators][property]")
{
  // v = cos(2π(2x − 3y)): half of the wave at (2, −3), half at its conjugate, which real values imply.
  const std::vector<Band> bands = {{0, 4}, {-4, 4}};
  const auto module = convolution(bands);
  const std::int64_t n = 16;
  const Tensor i = torch::arange(n, torch::kFloat64) / n;
  const Tensor angle = 2 * std::numbers::pi * (2 * i.view({1, n}) - 3 * i.view({n, 1}));  // [y, x]
  Tensor v = torch::zeros({1, n, n, 3}, torch::kFloat64);
  v.select(0, 0).select(-1, 1).copy_(angle.cos());

  const Tensor R = module->weight()[2][-3 + 4].detach();  // [2, input, output]
  const Tensor expected = R[0][1] * angle.cos().unsqueeze(-1) - R[1][1] * angle.sin().unsqueeze(-1);

  CHECK_THAT(relative_distance(module->forward(v).squeeze(0), expected), WithinAbs(0, 1e-14));
}

TEST_CASE("spectral convolution: the same function on every grid that resolves it", "[operators][property]")
{
  // Common points of grid n and the finest, 8·n: every 8th. |k| ≤ 6 in, |k| ≤ 6 kept: n ≥ 13 is enough.
  const std::int64_t n = GENERATE(13, 16, 17, 31, 32, 37, 64, 85, 127, 128);
  CAPTURE(n);
  SECTION("one axis")
  {
    const auto module = convolution({{0, 6}});
    const Tensor coarse = module->forward(band_limited({n}));
    const Tensor fine = module->forward(band_limited({8 * n})).slice(1, 0, c10::nullopt, 8);
    CHECK_THAT(relative_distance(coarse, fine), WithinAbs(0, 1e-13));
  }
  SECTION("two axes, refined apart from each other")
  {
    const auto module = convolution({{0, 6}, {-6, 5}});
    const Tensor coarse = module->forward(band_limited({n, 15}));
    const Tensor fine = module->forward(band_limited({2 * n, 45}));
    CHECK_THAT(relative_distance(coarse, fine.slice(2, 0, c10::nullopt, 2).slice(1, 0, c10::nullopt, 3)),
               WithinAbs(0, 1e-13));
  }
}

TEST_CASE("spectral convolution: what is on a 16 grid is on a 128 grid of three axes", "[operators][property]")
{
  const auto module = convolution({{0, 6}, {-6, 5}, {-6, 6}});
  const Tensor coarse = module->forward(band_limited({16, 13, 14}));
  const Tensor fine = module->forward(band_limited({128, 26, 14}));
  CHECK_THAT(relative_distance(coarse, fine.slice(3, 0, c10::nullopt, 8).slice(2, 0, c10::nullopt, 2)),
             WithinAbs(0, 1e-13));
}

TEST_CASE("spectral convolution: gradients and their gradients are those of finite differences",
          "[operators][property]")
{
  const auto module = convolution({{0, 2}, {-2, 1}});
  const Tensor v = random({2, 5, 6, 3}).requires_grad_();
  const Tensor direction = RandomStream(4, "direction").normal(v.sizes());
  const auto functional = [&](const Tensor& at) { return module->forward(at).pow(4).sum(); };
  const auto gradient = [&](const Tensor& at) {
    return torch::autograd::grad({functional(at)}, {at}, {}, /*retain_graph=*/true, /*create_graph=*/true)[0];
  };
  constexpr double h = 1e-4;  // error h² f‴ + ε f / h, relative about 1e-8
  const auto along = [&](double step) { return (v.detach() + step * direction).requires_grad_(); };

  const double slope = (gradient(v) * direction).sum().item<double>();
  const double difference = (functional(along(h)) - functional(along(-h))).item<double>() / (2 * h);
  CHECK_THAT(slope, WithinRel(difference, 1e-6));

  const Tensor curvature = torch::autograd::grad({(gradient(v) * direction).sum()}, {v})[0];
  const Tensor change = (gradient(along(h)) - gradient(along(-h))) / (2 * h);
  CHECK_THAT(relative_distance(curvature, change), WithinAbs(0, 1e-6));
}

TEST_CASE("spectral convolution: a grid too coarse for its frequencies is refused", "[operators][error]")
{
  const auto module = convolution({{0, 11}, {-12, 11}});
  const auto refused = [&](std::int64_t x, std::int64_t y) {
    return tests::message_of([&] { module->forward(torch::zeros({1, y, x, 3}, torch::kFloat64)); });
  };
  CHECK(tests::says(refused(32, 23), {"axis y", "found 23 points", "at least 24", "-12 to 11", "fewer modes"}));
  CHECK(tests::says(refused(21, 32), {"axis x", "found 21 points", "at least 22"}));
}
