#include <locum/core/random.hpp>
#include <locum/operators/normaliser.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::operators;
using tests::relative_distance;

/// Two channels of very different size on a 4 × 5 grid, 50 samples.
static Tensor data()
{
  const Tensor size = torch::tensor({1e5, 1e-3}, torch::kFloat64).view({1, 2, 1, 1});
  return (RandomStream(1, "data").normal({50, 2, 4, 5}) + 3) * size;
}

TEST_CASE("normaliser: encoded data have mean 0 and deviation 1, or span 0 to 1", "[operators][property]")
{
  const Tensor values = data();
  SECTION("unit Gaussian, a channel")
  {
    const Tensor encoded = Normaliser::fit(Normalisation::unit_gaussian, NormaliseOver::channel, values).encode(values);
    CHECK_THAT(encoded.mean({0, 2, 3}).abs().max().item<double>(), WithinAbs(0, 1e-13));
    CHECK_THAT((encoded.square().mean({0, 2, 3}) - 1).abs().max().item<double>(), WithinAbs(0, 1e-13));
  }
  SECTION("unit Gaussian, a point")
  {
    const Tensor encoded = Normaliser::fit(Normalisation::unit_gaussian, NormaliseOver::point, values).encode(values);
    CHECK_THAT(encoded.mean(0).abs().max().item<double>(), WithinAbs(0, 1e-13));
    CHECK_THAT((encoded.square().mean(0) - 1).abs().max().item<double>(), WithinAbs(0, 1e-13));
  }
  SECTION("minimum and maximum")
  {
    const auto over = GENERATE(NormaliseOver::channel, NormaliseOver::point);
    const Tensor encoded = Normaliser::fit(Normalisation::min_max, over, values).encode(values);
    CHECK(encoded.min().item<double>() == 0);
    CHECK_THAT(encoded.max().item<double>(), WithinAbs(1, 1e-15));
  }
}

TEST_CASE("normaliser: decoding undoes encoding, in either precision, and after a checkpoint", "[operators][property]")
{
  const auto kind = GENERATE(Normalisation::none, Normalisation::unit_gaussian, Normalisation::min_max);
  const auto over = GENERATE(NormaliseOver::channel, NormaliseOver::point);
  const Tensor values = data();
  const auto normaliser = Normaliser::fit(kind, over, values);
  const auto restored = Normaliser::from_state(normaliser.state());

  CHECK_THAT(relative_distance(restored.decode(normaliser.encode(values)), values), WithinAbs(0, 1e-15));
  const Tensor single = values.to(torch::kFloat32);
  const Tensor back = restored.decode(normaliser.encode(single));
  CHECK(back.scalar_type() == torch::kFloat32);
  CHECK_THAT(relative_distance(back, single), WithinAbs(0, 1e-6));  // a few float32 roundings
}

TEST_CASE("normaliser: what does not vary is shifted, not divided by nearly 0", "[operators][property]")
{
  const auto kind = GENERATE(Normalisation::unit_gaussian, Normalisation::min_max);
  const auto over = GENERATE(NormaliseOver::channel, NormaliseOver::point);
  const double constant = GENERATE(0.0, 0.1, -273.15);
  const Tensor values = torch::full({7, 1, 3, 3}, constant, torch::kFloat64);
  const auto normaliser = Normaliser::fit(kind, over, values);
  CHECK_THAT(normaliser.encode(values + 2).sub(2).abs().max().item<double>(), WithinAbs(0, 1e-12));
  CHECK_THAT(relative_distance(normaliser.decode(torch::ones_like(values)), values + 1), WithinAbs(0, 1e-14));
}

TEST_CASE("normaliser: statistics a channel fit any grid, those a point only their own", "[operators][error]")
{
  const Tensor other = torch::ones({1, 2, 8, 10}, torch::kFloat64);
  const auto a_channel = Normaliser::fit(Normalisation::unit_gaussian, NormaliseOver::channel, data());
  CHECK(a_channel.encode(other).isfinite().all().item<bool>());

  const auto a_point = Normaliser::fit(Normalisation::unit_gaussian, NormaliseOver::point, data());
  CHECK(tests::says(tests::message_of([&] { a_point.encode(other); }), {"[2, 8, 10]", "[2, 4, 5]", "channel"}));

  const Tensor channels = torch::ones({1, 3, 4, 5}, torch::kFloat64);
  CHECK(tests::says(tests::message_of([&] { a_channel.encode(channels); }), {"[3, 4, 5]", "[2]"}));
}
