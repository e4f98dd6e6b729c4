#include <hdf5.h>

#include <cstdlib>
#include <filesystem>
#include <locum/operators/fourier.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::operators;
using tests::message_of;
using tests::relative_distance;
using tests::says;

namespace {

FourierOptions published(std::vector<std::int64_t> modes, std::int64_t width)
{
  FourierOptions options;
  options.modes = std::move(modes);
  options.width = width;
  return options;
}

FourierOptions as_neuraloperator(std::vector<std::int64_t> modes, std::int64_t width)
{
  FourierOptions options = published(std::move(modes), width);
  options.mode_count = ModeCount::total;
  options.lifting_hidden = options.projection_hidden = 2 * width;
  options.channel_mlp_hidden = width / 2;
  return options;
}

std::shared_ptr<FourierOperator> model(const FourierOptions& options, std::int64_t inputs = 2, std::int64_t outputs = 1)
{
  auto model = std::make_shared<FourierOperator>(options, inputs, outputs, RandomStream(1, "weights"));
  model->to(torch::kFloat64);
  return model;
}

Tensor random(torch::IntArrayRef shape) { return RandomStream(2, "input").normal(shape); }

std::int64_t parameters(const FourierOptions& options, std::int64_t inputs, std::int64_t outputs)
{
  std::int64_t count = 0;
  for (const auto& parameter : model(options, inputs, outputs)->parameters()) count += parameter.numel();
  return count;
}

}  // namespace

TEST_CASE("Fourier operator: as many parameters as those published", "[operators]")
{
  // PDEBench's FNO: ten steps of one and of four fields in, one step out.
  CHECK(parameters(published({12}, 20), 10, 1) == 43137);
  CHECK(parameters(published({12, 12}, 20), 40, 4) == 927344);
  // neuraloperator's Darcy model, real numbers counted.
  CHECK(parameters(as_neuraloperator({16, 16}, 24), 1, 1) == 671113);
}

TEST_CASE("Fourier operator: commutes with translations by grid points", "[operators][property]")
{
  auto options =
      GENERATE(published({3}, 6), published({3, 2}, 6), published({2, 2, 2}, 4), as_neuraloperator({6, 5}, 6));
  options.norm = GENERATE(FeatureNorm::none, FeatureNorm::instance, FeatureNorm::group);
  options.coordinates = false;
  const std::vector<std::int64_t> points = {13, 8, 7};
  const auto axes = options.modes.size();
  std::vector<std::int64_t> shape = {2, 2}, shifts, dimensions;
  for (std::size_t axis = 0; axis < axes; ++axis) {
    shape.push_back(points[axis]);
    shifts.push_back(static_cast<std::int64_t>(2 * axis + 3));
    dimensions.push_back(static_cast<std::int64_t>(axis + 2));
  }
  const auto op = model(options);
  const Tensor input = random(shape);

  const Tensor shifted_after = op->forward(input).roll(shifts, dimensions);
  const Tensor shifted_before = op->forward(input.roll(shifts, dimensions));

  CHECK_THAT(relative_distance(shifted_before, shifted_after), WithinAbs(0, 1e-13));
}

TEST_CASE("Fourier operator: positions are i/n, slowest axis first", "[operators]")
{
  FourierOptions options = published({2, 2}, 4);
  const auto with = model(options, 1);
  options.coordinates = false;
  const auto without = model(options, 3);  // draws the same weights
  const Tensor input = random({2, 1, 5, 8});
  const Tensor y = torch::arange(5, torch::kFloat64).div(5).view({1, 1, 5, 1}).expand_as(input);
  const Tensor x = torch::arange(8, torch::kFloat64).div(8).view({1, 1, 1, 8}).expand_as(input);
  CHECK(torch::equal(with->forward(input), without->forward(torch::cat({input, y, x}, 1))));
}

TEST_CASE("Fourier operator: padding puts zeros behind the lifted features", "[operators]")
{
  const auto [modes, points, padding] =
      GENERATE(table<std::vector<std::int64_t>, std::vector<std::int64_t>, std::vector<std::int64_t>>(
          {{{3}, {10}, {0, 5}}, {{3, 3}, {8, 10}, {0, 5, 0, 4}}, {{2, 2, 2}, {4, 6, 8}, {0, 4, 0, 3, 0, 2}}}));
  FourierOptions options = published(modes, 4);
  options.coordinates = false;
  options.kernel = GENERATE(Kernel::automatic, Kernel::reference);
  const auto without = model(options);
  options.padding = 0.5;
  const auto with = model(options);
  torch::NoGradGuard constant;
  for (const auto& op : {with, without}) op->named_parameters()["lifting.output.bias"].zero_();  // keeps zeros zero

  std::vector<std::int64_t> shape = {2, 2};
  shape.insert(shape.end(), points.begin(), points.end());
  const Tensor input = random(shape);
  Tensor expected = without->forward(torch::constant_pad_nd(input, padding));
  for (std::size_t axis = 0; axis < points.size(); ++axis)
    expected = expected.narrow(static_cast<std::int64_t>(axis) + 2, 0, points[axis]);
  CHECK_THAT(relative_distance(with->forward(input), expected), WithinAbs(0, 1e-15));
}

TEST_CASE("Fourier operator: with a norm the size of the spectral weights does not matter", "[operators][property]")
{
  FourierOptions options = as_neuraloperator({4, 4}, 4);
  options.norm = GENERATE(FeatureNorm::instance, FeatureNorm::group);
  const auto op = model(options);
  const Tensor input = 1e3 * random({2, 2, 8, 8});  // well above what keeps the variance from 0
  const Tensor before = op->forward(input);
  torch::NoGradGuard constant;
  for (const auto& item : op->named_parameters())
    if (item.key().find("spectral.weight") != std::string::npos) item.value().mul_(1e3);
  // The first layer sees large values; the others values of order one, of which 1e-5 is added to the variance.
  CHECK_THAT(relative_distance(op->forward(input), before), WithinAbs(0, 1e-3));
}

TEST_CASE("Fourier operator: gradients of input and weights are those of finite differences", "[operators][property]")
{
  auto options = GENERATE(published({3, 2}, 4), as_neuraloperator({4, 4}, 4), as_neuraloperator({4}, 4));
  options.norm = GENERATE(FeatureNorm::none, FeatureNorm::instance, FeatureNorm::group);
  options.activation = GENERATE(Activation::gelu, Activation::tanh);
  options.padding = 0.2;
  const auto op = model(options);
  Tensor input = options.modes.size() == 1 ? random({2, 2, 9}) : random({2, 2, 7, 9});
  input.requires_grad_();

  std::vector<Tensor> all = op->parameters(), directions;
  all.push_back(input);
  RandomStream stream(3, "directions");
  for (const Tensor& tensor : all) directions.push_back(stream.normal(tensor.sizes()));
  const auto functional = [&] { return op->forward(input).square().sum(); };
  const auto move = [&](double step) {
    torch::NoGradGuard constant;
    for (std::size_t i = 0; i < all.size(); ++i) all[i].add_(directions[i], step);
  };

  const auto gradients = torch::autograd::grad({functional()}, all);
  double slope = 0;
  for (std::size_t i = 0; i < all.size(); ++i) slope += (gradients[i] * directions[i]).sum().item<double>();

  constexpr double h = 1e-5;
  move(h);
  const double ahead = functional().item<double>();
  move(-2 * h);
  const double behind = functional().item<double>();
  CHECK_THAT(slope, WithinRel((ahead - behind) / (2 * h), 1e-5));  // h² f‴ + ε f / h, for f of order one
}

TEST_CASE("Fourier operator: initial weights come from their stream alone", "[operators][property]")
{
  const FourierOptions options = published({2, 2}, 4);
  torch::manual_seed(1);
  const Tensor undisturbed = torch::rand({3});
  torch::manual_seed(1);
  const FourierOperator first(options, 1, 1, RandomStream(7, "weights"));
  CHECK(torch::equal(torch::rand({3}), undisturbed));

  const FourierOperator again(options, 1, 1, RandomStream(7, "weights"));
  const FourierOperator other(options, 1, 1, RandomStream(8, "weights"));
  for (const auto& item : first.named_parameters()) {
    CHECK(torch::equal(item.value(), again.named_parameters()[item.key()]));
    CHECK_FALSE(torch::equal(item.value(), other.named_parameters()[item.key()]));
  }
}

TEST_CASE("Fourier operator: float32 and float64 agree to single precision", "[operators][property]")
{
  const auto op = model(as_neuraloperator({8, 8}, 8));
  const Tensor input = random({2, 2, 16, 16});
  const Tensor in_double = op->forward(input);
  op->to(torch::kFloat32);
  CHECK_THAT(relative_distance(op->forward(input.to(torch::kFloat32)), in_double), WithinAbs(0, 1e-5));
}

TEST_CASE("Fourier operator: options that make no model are named", "[operators][error]")
{
  FourierOptions options;
  const auto refused = [&] { return message_of([&] { model(options); }); };
  SECTION("too many axes")
  {
    options.modes = {4, 4, 4, 4};
    CHECK(says(refused(), {"modes", "found [4, 4, 4, 4]", "one to three", "modes = [12, 12]"}));
  }
  SECTION("no modes along an axis")
  {
    options.modes = {4, 0};
    CHECK(says(refused(), {"modes", "found [4, 0]", "positive"}));
  }
  SECTION("no width")
  {
    options.width = 0;
    CHECK(says(refused(), {"width", "found 0", "positive", "width = 32"}));
  }
  SECTION("negative padding")
  {
    options.padding = -0.1;
    CHECK(says(refused(), {"padding", "found -0.1", "padding = 0"}));
  }
}

TEST_CASE("Fourier operator: inputs it cannot take are named", "[operators][error]")
{
  const auto op = model(published({4, 4}, 4), 2);
  const auto refused = [&](torch::IntArrayRef shape) {
    return message_of([&] { op->forward(torch::zeros(shape, torch::kFloat64)); });
  };
  CHECK(says(refused({1, 3, 16, 16}), {"found [1, 3, 16, 16]", "[batch, 2, y, x]", "2 channels"}));
  CHECK(says(refused({1, 2, 16}), {"found [1, 2, 16]", "2 axes", "modes with 1 entry"}));
  CHECK(says(refused({1, 2, 7, 16}), {"axis y", "found 7 points", "at least 8", "finer grid"}));
}
