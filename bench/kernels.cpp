// One thread: each product as a fraction of the fastest one there is, each pass over memory as a fraction of a copy's
// bandwidth, both measured in the same run.
//     cmake --preset release -DLOCUM_BENCHMARKS=ON && ninja -C build/release bench_kernels &&
//     build/release/bin/bench_kernels
#include <benchmark/benchmark.h>
#include <locum/operators/kernels/mixing.hpp>

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

}  // namespace

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
BENCHMARK_MAIN();
