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

TEST_CASE("statistics: pieces have the statistics of the whole", "[operators][property]")
{
  const Tensor values = RandomStream(1, "values").normal({50, 3, 7}) * 5 + 300;
  const auto kind = GENERATE(Normalisation::unit_gaussian, Normalisation::min_max);
  const auto over = GENERATE(NormaliseOver::channel, NormaliseOver::point);
  const auto whole = Normaliser::fit(kind, over, values).state();
  Statistics pieces(kind, over);
  for (const auto& [first, count] : {std::pair{0, 1}, std::pair{1, 29}, std::pair{30, 20}})
    pieces.add(values.narrow(0, first, count));
  for (const auto& [name, tensor] : pieces.normaliser().state())
    CHECK(torch::allclose(tensor, whole.at(name), 1e-12, 0));
}

TEST_CASE("statistics: missing values do not count", "[operators]")
{
  const double none = std::numeric_limits<double>::quiet_NaN();
  const Tensor values = torch::tensor({{{1.0, none, none}}, {{3.0, none, 5.0}}}, torch::kFloat64);
  const auto kind = GENERATE(Normalisation::unit_gaussian, Normalisation::min_max);
  const bool gaussian = kind == Normalisation::unit_gaussian;
  for (const bool in_pieces : {false, true}) {
    Statistics points(kind, NormaliseOver::point, true), channel(kind, NormaliseOver::channel, true);
    for (const Tensor& some : values.split(in_pieces ? 1 : 2)) {
      points.add(some);
      channel.add(some);
    }
    auto state = points.normaliser().state();
    CHECK(torch::allclose(state.at("offset"), torch::tensor({{gaussian ? 2.0 : 1.0, 0.0, 5.0}}, torch::kFloat64)));
    CHECK(torch::allclose(state.at("scale"), torch::tensor({{gaussian ? 1.0 : 2.0, 1.0, 1.0}}, torch::kFloat64)));
    state = channel.normaliser().state();
    CHECK_THAT(state.at("offset").item<double>(), WithinRel(gaussian ? 3.0 : 1.0, 1e-12));
    CHECK_THAT(state.at("scale").item<double>(), WithinRel(gaussian ? std::sqrt(8.0 / 3) : 4.0, 1e-12));
  }
}
