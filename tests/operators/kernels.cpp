#include <locum/operators/fourier.hpp>
#include <locum/operators/kernels/fourier_layers.hpp>
#include <locum/operators/kernels/mixing.hpp>
#include <locum/operators/training/optimisers/adam.hpp>

#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

using namespace locum;
using namespace locum::operators;
using namespace locum::operators::kernels;
using tests::relative_distance;

namespace {

Tensor random(torch::IntArrayRef shape, torch::Dtype type = torch::kFloat64)
{
  return RandomStream(2, "values").normal(shape).to(type);
}

template <class T>
constexpr auto type_of = sizeof(T) == 8 ? torch::kFloat64 : torch::kFloat32;

/// What rounding leaves of a sum of some hundred numbers.
template <class T>
constexpr double rounding = sizeof(T) == 8 ? 1e-14 : 2e-6;

/// Sets libtorch's number of threads for as long as it lives.
class Threads {
 public:
  explicit Threads(int count) : before_(at::get_num_threads()) { at::set_num_threads(count); }
  ~Threads() { at::set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

}  // namespace

TEMPLATE_TEST_CASE("kernels: products of matrices of every shape, in each instruction set", "[operators]", float,
                   double)
{
  using T = TestType;
  const std::int64_t rows = GENERATE(1, 2, 5, 6, 7, 13, 32), columns = GENERATE(1, 3, 8, 20, 33, 64);
  const std::int64_t depth = GENERATE(0, 1, 17, 64);
  const Tensor a = random({rows, depth}, type_of<T>), b = random({depth, columns}, type_of<T>);
  const Tensor at = a.t().contiguous(), bias = random({columns}, type_of<T>);
  for (const auto& run : available_instructions<T>()) {
    CAPTURE(run.name, rows, columns, depth);
    Tensor c = random({rows, columns + 3}, type_of<T>);
    const Tensor before = c.clone();
    const auto multiply = [&](const Tensor& left, std::int64_t row, std::int64_t column, Start start) {
      run.multiply(rows, columns, depth, left.data_ptr<T>(), row, column, b.data_ptr<T>(), columns, c.data_ptr<T>(),
                   columns + 3, start, bias.data_ptr<T>());
      return c.slice(1, 0, columns);
    };
    const Tensor product = a.to(torch::kFloat64).mm(b.to(torch::kFloat64));
    const double scale = product.norm().item<double>() + 1;
    const auto off = [&](const Tensor& is, const Tensor& expected) {
      return (is.to(torch::kFloat64) - expected).norm().template item<double>() / scale;
    };
    CHECK_THAT(off(multiply(a, depth, 1, Start::add), before.slice(1, 0, columns) + product),
               WithinAbs(0, 10 * rounding<T>));
    CHECK_THAT(off(multiply(at, 1, rows, Start::zero), product), WithinAbs(0, rounding<T>));
    CHECK_THAT(off(multiply(a, depth, 1, Start::row), product + bias), WithinAbs(0, 10 * rounding<T>));
    CHECK(torch::equal(c.slice(1, columns), before.slice(1, columns)));  // what is beside C stays
  }
}

TEMPLATE_TEST_CASE("kernels: GELU and its slope, in each instruction set", "[operators]", float, double)
{
  using T = TestType;
  const Tensor x = torch::cat({torch::linspace(-12, 12, 40001, torch::kFloat64),
                               torch::tensor({-1e30, -100.0, -0.0, 0.0, 1e-30, 100.0, 1e30}, torch::kFloat64)})
                       .to(type_of<T>);
  const Tensor exact = x.to(torch::kFloat64).requires_grad_();
  const Tensor value = torch::gelu(exact);
  const Tensor slope = torch::autograd::grad({value.sum()}, {exact})[0];
  const double off = sizeof(T) == 8 ? 1e-15 : 3e-7, slope_off = sizeof(T) == 8 ? 4e-15 : 8e-7;
  for (const auto& run : available_instructions<T>()) {
    CAPTURE(run.name);
    Tensor y = torch::empty_like(x), z = torch::empty_like(x), d = torch::empty_like(x);
    run.gelu(x.numel(), x.data_ptr<T>(), y.data_ptr<T>());
    run.gelu_slope(x.numel(), x.data_ptr<T>(), z.data_ptr<T>(), d.data_ptr<T>());
    const auto farthest = [&](const Tensor& is, const Tensor& expected) {
      return ((is.to(torch::kFloat64) - expected) / expected.abs().clamp_min(1)).abs().max().template item<double>();
    };
    CHECK_THAT(farthest(y, value), WithinAbs(0, off));
    CHECK_THAT(farthest(z, value), WithinAbs(0, off));
    const auto ordinary = x.abs() < 1e3;  // beyond, the reference itself is inf · 0
    CHECK_THAT(farthest(d.masked_select(ordinary), slope.masked_select(ordinary)), WithinAbs(0, slope_off));
  }
}

TEMPLATE_TEST_CASE("kernels: what is not a number stays that through GELU", "[operators]", float, double)
{
  using T = TestType;
  const std::vector<T> x = {1, std::numeric_limits<T>::quiet_NaN(), -1};
  for (const auto& run : available_instructions<T>()) {
    CAPTURE(run.name);
    std::vector<T> y(3), d(3);
    run.gelu(3, x.data(), y.data());
    CHECK((!std::isnan(y[0]) && std::isnan(y[1]) && !std::isnan(y[2])));
    run.gelu_slope(3, x.data(), y.data(), d.data());
    CHECK((!std::isnan(y[0]) && std::isnan(y[1]) && !std::isnan(y[2])));
  }
}

TEMPLATE_TEST_CASE(
    "kernels: spectral convolution is that by FFT, for odd, prime and tiny grids, in each instruction set",
    "[operators][property]", float, double)
{
  using T = TestType;
  struct Example {
    std::vector<Band> bands;  // x first
    std::vector<std::int64_t> points;
  };
  const auto [bands, points] =
      GENERATE(Example{{{0, 0}}, {1}}, Example{{{0, 1}}, {2}}, Example{{{0, 1}}, {3}}, Example{{{0, 2}}, {4}},
               Example{{{0, 3}}, {6}}, Example{{{0, 5}}, {11}}, Example{{{0, 16}}, {64}}, Example{{{0, 32}}, {64}},
               Example{{{0, 33}}, {67}}, Example{{{0, 4}, {-4, 3}}, {8, 8}}, Example{{{0, 5}, {-5, 5}}, {10, 11}},
               Example{{{0, 7}, {-1, 0}}, {17, 2}}, Example{{{0, 16}, {-16, 15}}, {32, 40}},
               Example{{{0, 2}, {-2, 2}, {-3, 2}}, {8, 5, 9}}, Example{{{0, 0}, {0, 0}, {0, 0}}, {1, 1, 1}},
               Example{{{0, 3}, {-3, 3}, {-2, 1}}, {7, 10, 4}});
  const std::int64_t batch = GENERATE(1, 2, 17);
  const auto [inputs, outputs] =
      GENERATE(std::pair<std::int64_t, std::int64_t>{1, 1}, std::pair<std::int64_t, std::int64_t>{3, 20},
               std::pair<std::int64_t, std::int64_t>{32, 33}, std::pair<std::int64_t, std::int64_t>{64, 3});
  const int threads = GENERATE(1, 3);

  std::vector<std::int64_t> shape = {batch}, weight_shape;
  shape.insert(shape.end(), points.rbegin(), points.rend());
  for (const Band& band : bands) weight_shape.push_back(band.count());
  auto output_shape = shape;
  shape.push_back(inputs);
  output_shape.push_back(outputs);
  weight_shape.insert(weight_shape.end(), {2, inputs, outputs});
  const Tensor x = random(shape, type_of<T>), R = random(weight_shape, type_of<T>),
               d = random(output_shape, type_of<T>);

  const Tensor x64 = x.to(torch::kFloat64).requires_grad_(), R64 = R.to(torch::kFloat64).requires_grad_();
  const Tensor expected = spectral_convolution_by_fft(x64, R64, bands);
  const auto gradients = torch::autograd::grad({expected}, {x64, R64}, {d.to(torch::kFloat64)});

  Transform<T> transform({points.rbegin(), points.rend()}, {bands.rbegin(), bands.rend()});
  for (const auto& run : available_instructions<T>()) {
    CAPTURE(run.name, points, batch, inputs, outputs, threads);
    Tensor y = torch::empty(output_shape, type_of<T>), d_x = torch::empty_like(x), d_R = torch::empty_like(R);
    Tensor spectrum = torch::empty({batch * transform.modes() * 2 * inputs}, type_of<T>);
    Tensor room = torch::empty({batch * transform.modes() * 2 * (inputs + outputs)}, type_of<T>);
    convolve<T>(run, transform, threads, batch, inputs, outputs, R.data_ptr<T>(), x.data_ptr<T>(), y.data_ptr<T>(),
                spectrum.data_ptr<T>(), room.data_ptr<T>());
    CHECK_THAT(relative_distance(y, expected), WithinAbs(0, rounding<T>));
    convolve_backward<T>(run, transform, threads, batch, inputs, outputs, R.data_ptr<T>(), spectrum.data_ptr<T>(),
                         d.data_ptr<T>(), d_R.data_ptr<T>(), d_x.data_ptr<T>(), room.data_ptr<T>());
    CHECK_THAT(relative_distance(d_x, gradients[0]), WithinAbs(0, rounding<T>));
    CHECK_THAT(relative_distance(d_R, gradients[1]), WithinAbs(0, rounding<T>));
  }
}

TEST_CASE("kernels: a Fourier operator is the reference's, and so are its gradients", "[operators][property]")
{
  FourierOptions options;
  options.modes =
      GENERATE(std::vector<std::int64_t>{5}, std::vector<std::int64_t>{4, 5}, std::vector<std::int64_t>{2, 3, 2});
  options.width = GENERATE(1, 20);
  options.layers = GENERATE(1, 3);
  options.channel_mlp_hidden = GENERATE(0, 7);
  options.lifting_hidden = options.channel_mlp_hidden;
  options.activate_twice = options.channel_mlp_hidden == 0 && options.layers == 3;
  const std::int64_t batch = GENERATE(1, 3);
  const Threads threads(GENERATE(1, 2));
  std::vector<std::int64_t> shape = {batch, 2};
  for (const std::int64_t n : {11, 8, 13})
    if (shape.size() < options.modes.size() + 2) shape.push_back(n);
  CAPTURE(shape, options.width, options.layers, options.channel_mlp_hidden, at::get_num_threads());

  const auto evaluate = [&](Kernel kernel) {
    options.kernel = kernel;
    FourierOperator op(options, 2, 3, RandomStream(1, "weights"));
    op.to(torch::kFloat64);
    const Tensor input = random(shape).requires_grad_();
    const Tensor output = op.forward(input);
    std::vector<Tensor> all = op.parameters();
    all.push_back(input);
    auto results = torch::autograd::grad({output}, all, {RandomStream(4, "d").normal(output.sizes())});
    results.push_back(output);
    return results;
  };
  const auto ours = evaluate(Kernel::fused), theirs = evaluate(Kernel::reference), again = evaluate(Kernel::fused);

  for (std::size_t i = 0; i < ours.size(); ++i) {
    CAPTURE(i);
    CHECK_THAT(relative_distance(ours[i], theirs[i]), WithinAbs(0, 1e-12));  // sums over points may cancel
    CHECK(torch::equal(ours[i], again[i]));                                  // the same bits every time
  }
}

TEMPLATE_TEST_CASE("kernels: layers and their gradients are the same in each instruction set", "[operators][property]",
                   float, double)
{
  using T = TestType;
  const std::int64_t C = GENERATE(5, 20), H = GENERATE(0, 6, 24), batch = 3, layers = 3;
  const int threads = GENERATE(1, 2);
  Transform<T> transform({6, 9}, {{-2, 2}, {0, 3}});
  const std::int64_t points = batch * transform.points();
  std::vector<Tensor> parameters;
  const auto arrays = [&](std::vector<Tensor>& tensors) {
    const std::vector<std::vector<std::int64_t>> shapes = {
        {transform.modes(), 2, C, C}, {C, C}, {C}, {H, C}, {H}, {C, H}, {C}, {C}};
    std::vector<LayerArrays<T>> all;
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      T* at[8] = {};
      for (std::size_t i = 0; i < (H > 0 ? 8 : 3); ++i) {
        tensors.push_back(RandomStream(i, "layer").normal(shapes[i]).to(type_of<T>) / std::sqrt(double(C)));
        at[i] = tensors.back().template data_ptr<T>();
      }
      all.push_back({at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7]});
    }
    return all;
  };
  const auto weights = arrays(parameters);
  const Tensor u = random({points, C}, type_of<T>), d = RandomStream(5, "d").normal({points, C}).to(type_of<T>);
  std::vector<Tensor> first;
  for (const auto& run : available_instructions<T>()) {
    CAPTURE(run.name, C, H, threads);
    FourierLayers<T> of(transform, threads, batch, C, H, H == 0, weights, run);
    const auto room_for = [](std::int64_t size) { return torch::empty({size}, type_of<T>); };
    Tensor v = torch::empty_like(u), w = torch::empty_like(u), d_u = torch::empty_like(u);
    Tensor saved = room_for(of.saved_size()), room = room_for(of.room_size());
    std::vector<Tensor> results;
    const auto gradients = arrays(results);
    of.forward(u.data_ptr<T>(), w.data_ptr<T>(), nullptr, room.data_ptr<T>());
    of.forward(u.data_ptr<T>(), v.data_ptr<T>(), saved.data_ptr<T>(), room.data_ptr<T>());
    CHECK(torch::equal(v, w));  // whether anything is kept or not
    of.backward(u.data_ptr<T>(), d.data_ptr<T>(), saved.data_ptr<T>(), room.data_ptr<T>(), d_u.data_ptr<T>(),
                gradients);
    results.insert(results.end(), {v, d_u});
    if (first.empty()) first = results;
    for (std::size_t i = 0; i < results.size(); ++i) {
      CAPTURE(i);
      CHECK_THAT(relative_distance(results[i], first[i]), WithinAbs(0, 10 * rounding<T>));
    }
  }
}

TEST_CASE("kernels: an operator's values do not depend on the number of threads", "[operators][property]")
{
  FourierOptions options;
  options.modes =
      GENERATE(std::vector<std::int64_t>{5}, std::vector<std::int64_t>{4, 5}, std::vector<std::int64_t>{2, 3, 2});
  options.width = 6;
  options.channel_mlp_hidden = 4;
  std::vector<std::int64_t> shape = {3, 2};
  for (const std::int64_t n : {11, 8, 13})
    if (shape.size() < options.modes.size() + 2) shape.push_back(n);
  const torch::NoGradGuard constant;
  FourierOperator op(options, 2, 3, RandomStream(1, "weights"));
  const Tensor input = random(shape, torch::kFloat32);
  std::vector<Tensor> results;
  for (const int count : {1, 2, 5}) {
    const Threads threads(count);
    results.push_back(op.forward(input));
  }
  CHECK(torch::equal(results[0], results[1]));
  CHECK(torch::equal(results[0], results[2]));
}

TEST_CASE("kernels: a step of Adam gives the same bits with any number of threads", "[operators][property]")
{
  const auto after = [](int count) {
    const Threads threads(count);
    FourierOptions options;
    options.modes = {5};
    options.width = 7;
    FourierOperator op(options, 2, 3, RandomStream(1, "weights"));
    Parameters parameters(op);
    Adam adam(parameters, Adam::WeightDecay::decoupled, 0.1);
    for (int step = 0; step < 3; ++step)
      adam.step(0.01, [&] {
        parameters.gradients.copy_(parameters.values.sin());
        return torch::zeros({});
      });
    return parameters.values;
  };
  CHECK(torch::equal(after(1), after(2)));
  CHECK(torch::equal(after(1), after(3)));
}

TEST_CASE("kernels: the second derivative of an operator is that of finite differences", "[operators][property]")
{
  FourierOptions options;
  options.modes = {3, 3};
  options.width = 4;
  options.layers = 2;
  options.channel_mlp_hidden = 3;
  options.lifting_hidden = 3;
  FourierOperator op(options, 1, 1, RandomStream(1, "weights"));
  op.to(torch::kFloat64);
  const Tensor u = random({1, 1, 7, 8}).requires_grad_();
  const Tensor direction = RandomStream(4, "direction").normal(u.sizes());
  const auto gradient = [&](const Tensor& at, bool graph) {
    return torch::autograd::grad({op.forward(at).pow(4).sum()}, {at}, {}, /*retain_graph=*/true, graph)[0];
  };
  constexpr double h = 1e-4;  // error h² f‴ + ε f / h, relative about 1e-8
  const auto ahead = [&](double step) { return gradient((u.detach() + step * direction).requires_grad_(), false); };

  const Tensor curvature = torch::autograd::grad({(gradient(u, true) * direction).sum()}, {u})[0];
  CHECK_THAT(relative_distance(curvature, (ahead(h) - ahead(-h)) / (2 * h)), WithinAbs(0, 1e-6));
}

TEST_CASE("kernels: fused, where the kernels cannot be, is refused", "[operators][error]")
{
  FourierOptions options;
  options.kernel = Kernel::fused;
  const auto refused = [&] { return tests::message_of([&] { FourierOperator(options, 1, 1, RandomStream(1, "w")); }); };
  SECTION("another activation")
  {
    options.activation = Activation::tanh;
    CHECK(tests::says(refused(), {"kernel", "fused with another activation", "gelu", "kernel = \"auto\""}));
  }
  SECTION("a norm")
  {
    options.norm = FeatureNorm::group;
    CHECK(tests::says(refused(), {"kernel", "fused with a norm", "norm none", "kernel = \"auto\""}));
  }
}
