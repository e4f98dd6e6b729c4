// One thread: each product as a fraction of the fastest one there is, each pass over memory as a fraction of a copy's
// bandwidth, both measured in the same run.
//     cmake --preset release -DLOCUM_BENCHMARKS=ON && ninja -C build/release bench_kernels &&
//     build/release/bin/bench_kernels
#include <benchmark/benchmark.h>
#include <locum/operators/fourier.hpp>
#include <locum/operators/kernels/fourier_layers.hpp>
#include <locum/operators/kernels/pointwise_network.hpp>

#include <chrono>
#include <cstring>

using namespace locum::operators;
using namespace locum::operators::kernels;

namespace {

/// Shortest time of one call, s.
template <class Run>
double shortest(Run&& run)
{
  double best = 1;
  for (int i = 0; i < 200; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

template <class T>
void product(const Instructions<T>& run, std::int64_t rows, std::int64_t columns, std::int64_t depth,
             const std::vector<T>& a, const std::vector<T>& b, std::vector<T>& c)
{
  run.multiply(rows, columns, depth, a.data(), depth, 1, b.data(), columns, c.data(), columns, Start::zero, nullptr);
}

/// Operations a second of a product whose matrices stay in the first cache.
template <class T>
double peak(const Instructions<T>& run)
{
  std::vector<T> a(24 * 128, T(1)), b(128 * 32, T(1)), c(24 * 32);
  return 2.0 * 24 * 32 * 128 / shortest([&] { product(run, 24, 32, 128, a, b, c); });
}

/// Bytes a second that a copy much larger than the caches reads and writes.
double bandwidth()
{
  static const double measured = [] {
    std::vector<char> from(std::size_t{256} << 20, 1), to(from.size());
    double best = 1;
    for (int i = 0; i < 5; ++i) {
      const auto start = std::chrono::steady_clock::now();
      std::memcpy(to.data(), from.data(), from.size());
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return 2.0 * static_cast<double>(from.size()) / best;
  }();
  return measured;
}

template <class T>
void multiply(benchmark::State& state)
{
  const auto& run = instructions<T>();
  const std::int64_t rows = state.range(0), columns = state.range(1), depth = state.range(2);
  std::vector<T> a(static_cast<std::size_t>(rows * depth), T(1)), b(static_cast<std::size_t>(depth * columns), T(1));
  std::vector<T> c(static_cast<std::size_t>(rows * columns));
  for (auto _ : state) product(run, rows, columns, depth, a, b, c);
  const double operations = 2.0 * static_cast<double>(rows * columns * depth);
  using Counter = benchmark::Counter;
  state.counters["GFLOP/s"] = Counter(operations * 1e-9, Counter::kIsIterationInvariantRate);
  state.counters["of_peak"] = Counter(operations / peak(run), Counter::kIsIterationInvariantRate);
}

template <class T>
void gelu(benchmark::State& state)
{
  std::vector<T> x(2048, T(0.3)), y(x.size());
  for (auto _ : state) instructions<T>().gelu(std::ssize(x), x.data(), y.data());
  state.SetItemsProcessed(state.iterations() * std::ssize(x));
}

template <class T>
void gelu_slope(benchmark::State& state)
{
  std::vector<T> x(2048, T(0.3)), y(x.size()), slope(x.size());
  for (auto _ : state) instructions<T>().gelu_slope(std::ssize(x), x.data(), y.data(), slope.data());
  state.SetItemsProcessed(state.iterations() * std::ssize(x));
}

template <class T>
void adam(benchmark::State& state)
{
  std::vector<T> p(std::size_t{1} << 23, T(1)), g(p), m(p), v(p);
  const AdamStep step = {.beta1 = 0.9,
                         .beta2 = 0.999,
                         .epsilon = 1e-8,
                         .step_size = 1e-3,
                         .root_correction = 1,
                         .shrink = 1,
                         .coupled_decay = 0};
  for (auto _ : state) instructions<T>().adam(std::ssize(p), step, g.data(), p.data(), m.data(), v.data());
  const double bytes = 7.0 * sizeof(T) * static_cast<double>(p.size());  // reads four, writes three
  state.counters["of_copy"] = benchmark::Counter(bytes / bandwidth(), benchmark::Counter::kIsIterationInvariantRate);
}

/// The spectral convolution of neuraloperator's default layer in two dimensions.
template <class T>
void convolution(benchmark::State& state)
{
  Transform<T> transform({64, 64}, {{-16, 15}, {0, 16}});
  const std::int64_t batch = state.range(0), channels = 32, modes = transform.modes();
  std::vector<T> x(static_cast<std::size_t>(batch * 4096 * channels), T(0.1)), y(x.size());
  std::vector<T> R(static_cast<std::size_t>(modes * 2 * channels * channels), T(0.1));
  std::vector<T> spectrum(static_cast<std::size_t>(batch * modes * 2 * channels)), room(spectrum.size());
  for (auto _ : state)
    convolve<T>(instructions<T>(), transform, 1, batch, channels, channels, R.data(), x.data(), y.data(),
                spectrum.data(), room.data());
}

/// Spectral convolution of 32 channels, batch 4, on a grid of `axes` axes of n points: by products with small matrices
/// or by libtorch's FFT, with more and more of the frequencies kept. Where the two meet, is_faster() should change.
void frequencies(benchmark::State& state, bool by_fft)
{
  const std::int64_t n = state.range(0), m = state.range(1), axes = state.range(2), channels = 32, batch = 4;
  std::vector<std::int64_t> points(static_cast<std::size_t>(axes), n), shape = {batch}, weights = {m + 1};
  std::vector<Band> bands = {{0, m}};
  if (axes == 2) {
    bands.push_back({-m, m - 1});
    weights.push_back(2 * m);
  }
  shape.insert(shape.end(), points.begin(), points.end());
  shape.push_back(channels);
  weights.insert(weights.end(), {2, channels, channels});
  const torch::NoGradGuard no_gradients;
  torch::set_num_threads(1);
  const torch::Tensor x = torch::rand(shape), R = torch::rand(weights), y = torch::empty(shape);
  Transform<float> transform(points, {bands.rbegin(), bands.rend()});
  const torch::Tensor spectrum = torch::empty({batch * transform.modes() * 2 * channels}),
                      room = torch::empty_like(spectrum);
  for (auto _ : state) {
    if (by_fft) spectral_convolution_by_fft(x, R, bands);
    else
      convolve<float>(instructions<float>(), transform, 1, batch, channels, channels, R.data_ptr<float>(),
                      x.data_ptr<float>(), y.data_ptr<float>(), spectrum.data_ptr<float>(), room.data_ptr<float>());
  }
}

/// One small sample through FourierOperator::forward() and through the same kernels without libtorch: the difference is
/// what tensors, checks and autograd's bookkeeping take.
struct Small {
  Small()
  {
    options.modes = {8};
    options.width = 16;
    options.lifting_hidden = options.projection_hidden = 32;
    options.channel_mlp_hidden = 8;
    torch::set_num_threads(1);
  }
  static constexpr std::int64_t points = 64;
  FourierOptions options;
};

void small_operator(benchmark::State& state)
{
  const Small small;
  FourierOperator op(small.options, 1, 1, locum::RandomStream(0, "weights"));
  const torch::Tensor x = torch::rand({1, 1, Small::points});
  const c10::InferenceMode inference;
  for (auto _ : state) benchmark::DoNotOptimize(op.forward(x));
}

void small_kernels(benchmark::State& state)
{
  const Small small;
  const FourierOptions& o = small.options;
  const std::int64_t C = o.width, H = o.channel_mlp_hidden, points = Small::points;
  Transform<float> transform({points}, {{0, o.modes[0] - 1}});
  std::vector<std::vector<float>> storage;
  const auto array = [&](std::int64_t size) {
    return storage.emplace_back(static_cast<std::size_t>(size), 0.1f).data();
  };
  const auto network = [&](NetworkShape n) {
    return NetworkArrays<const float>{array(n.hidden * n.inputs), array(n.hidden), array(n.outputs * n.hidden),
                                      array(n.outputs)};
  };
  const NetworkShape lift = {2, o.lifting_hidden, C}, project = {C, o.projection_hidden, 1};
  const auto lifting = network(lift), projection = network(project);
  std::vector<LayerArrays<float>> weights;
  for (std::int64_t l = 0; l < o.layers; ++l)
    weights.push_back({array(transform.modes() * 2 * C * C), array(C * C), array(C), array(H * C), array(H),
                       array(C * H), array(C), array(C)});
  float *x = array(2 * points), *u = array(C * points), *v = array(C * points), *y = array(points);
  const auto& run = instructions<float>();
  for (auto _ : state) {
    network_forward<float>(run, 1, NetworkPoints::in_a_row(points), lift, lifting, x, u, nullptr);
    FourierLayers<float> layers(transform, 1, 1, C, H, false, weights);
    std::vector<float> room(static_cast<std::size_t>(layers.room_size()));
    layers.forward(u, v, nullptr, room.data());
    network_forward<float>(run, 1, NetworkPoints::in_a_row(points), project, projection, v, y, nullptr);
    benchmark::DoNotOptimize(y);
  }
}

void frequencies_kept(benchmark::internal::Benchmark* all)
{
  for (const std::int64_t n : {256, 1024, 4096})
    for (std::int64_t m = 16; m <= n / 2 && m <= 512; m *= 2) all->Args({n, m, 1});
  for (const std::int64_t n : {64, 128, 256})
    for (std::int64_t m = 16; m <= n / 2; m *= 2) all->Args({n, m, 2});
  all->ArgNames({"points", "frequencies", "axes"})->Unit(benchmark::kMillisecond);
}

}  // namespace

BENCHMARK_CAPTURE(frequencies, by_products, false)->Apply(frequencies_kept);
BENCHMARK_CAPTURE(frequencies, by_fft, true)->Apply(frequencies_kept);
// Pointwise maps, gradients by their weights, transforms along an axis, mixing: the shapes of that layer.
BENCHMARK(multiply<float>)
    ->Args({64, 32, 32})
    ->Args({64, 16, 32})
    ->Args({32, 32, 64})
    ->Args({9, 32, 17})
    ->Args({9, 64, 17})
    ->Args({16, 32, 64});
BENCHMARK(multiply<double>)->Args({64, 32, 32})->Args({9, 32, 17})->Args({16, 32, 64});
BENCHMARK(gelu<float>);
BENCHMARK(gelu<double>);
BENCHMARK(gelu_slope<float>);
BENCHMARK(gelu_slope<double>);
BENCHMARK(adam<float>);
BENCHMARK(convolution<float>)->Arg(1)->Arg(16)->Unit(benchmark::kMillisecond);
BENCHMARK(convolution<double>)->Arg(16)->Unit(benchmark::kMillisecond);
BENCHMARK(small_operator)->Unit(benchmark::kMicrosecond);
BENCHMARK(small_kernels)->Unit(benchmark::kMicrosecond);
BENCHMARK_MAIN();
