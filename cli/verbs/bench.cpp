#include <locum/core/error.hpp>
#include <locum/operators/fourier.hpp>
#include <locum/operators/training/loss.hpp>
#include <locum/operators/training/optimisers/adam.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>

#include "bench.hpp"

namespace locum::cli {

using torch::Tensor;

namespace {

/// Shortest, middle and longest of some runs, ms.
struct Times {
  double shortest, middle, longest;
};

Times time(std::int64_t repeats, const std::function<void()>& run)
{
  for (int warm_up = 0; warm_up < 3; ++warm_up) run();
  std::vector<double> times;
  for (std::int64_t r = 0; r < repeats; ++r) {
    const auto start = std::chrono::steady_clock::now();
    run();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return {times.front(), times[times.size() / 2], times.back()};
}

std::int64_t peak_memory_mib()
{
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

/// One problem size, as published: neuraloperator's default operator of this width.
struct FourierCase {
  std::string name;
  std::int64_t batch;
  std::vector<std::int64_t> points;
  std::int64_t width;
  std::vector<std::int64_t> modes;
};

void bench_fourier(const BenchRequest& request)
{
  const std::vector<FourierCase> cases = {
      {"1d", 16, {1024}, 64, {32}},
      {"2d", 16, {64, 64}, 32, {32, 32}},
      {"3d", 4, {32, 32, 32}, 20, {16, 16, 16}},
  };
  const auto type = request.float64 ? torch::kFloat64 : torch::kFloat32;
  for (const FourierCase& c : cases) {
    if (request.only != "all" && request.only != c.name) continue;
    operators::FourierOptions options;
    options.modes = c.modes;
    options.mode_count = operators::ModeCount::total;
    options.width = c.width;
    options.lifting_hidden = options.projection_hidden = 2 * c.width;
    options.channel_mlp_hidden = c.width / 2;
    options.kernel = request.reference ? operators::Kernel::reference : operators::Kernel::automatic;
    operators::FourierOperator model(options, 1, 1, RandomStream(0, "weights"));
    model.to(type);
    const std::int64_t batch = request.batch > 0 ? request.batch : c.batch;
    std::vector<std::int64_t> shape = {batch, 1};
    shape.insert(shape.end(), c.points.begin(), c.points.end());
    const Tensor x = RandomStream(1, "input").normal(shape).to(type);
    const Tensor y = RandomStream(2, "target").normal(shape).to(type);
    operators::Parameters trained(model);
    operators::Adam adam(trained, operators::Adam::WeightDecay::decoupled, 1e-4);

    const auto report = [&](const char* what, const Times& times) {
      std::int64_t parameters = 0;
      for (const Tensor& p : model.parameters()) parameters += p.numel();
      if (request.json)
        fmt::print("{}\n", nlohmann::json({{"case", c.name},
                                           {"what", what},
                                           {"min_ms", times.shortest},
                                           {"median_ms", times.middle},
                                           {"max_ms", times.longest},
                                           {"batch", batch},
                                           {"precision", request.float64 ? "float64" : "float32"},
                                           {"kernel", request.reference ? "reference" : "auto"},
                                           {"parameters", parameters},
                                           {"threads", at::get_num_threads()},
                                           {"device", "cpu"},
                                           {"torch", TORCH_VERSION},
                                           {"peak_rss_mib", peak_memory_mib()}})
                               .dump());
      else
        fmt::print("{:3} {:14} {:8.2f} ms (median {:.2f}, longest {:.2f}), peak memory {} MiB\n", c.name, what,
                   times.shortest, times.middle, times.longest, peak_memory_mib());
      std::fflush(stdout);
    };
    report("inference", time(request.repeats, [&] {
             const c10::InferenceMode inference;
             model.forward(x);
           }));
    report("training step", time(request.repeats, [&] {
             adam.step(1e-3, [&] {
               trained.forget_gradients();
               const auto loss = operators::loss_of(operators::Loss::relative_l2, model.forward(x), y);
               loss.backward();
               for (std::int64_t i = 0; i < trained.count(); ++i) trained.collect_gradient(i);
               return loss.detach();
             });
           }));
  }
}

}  // namespace

void bench(const BenchRequest& request)
{
  if (request.name == "fno") bench_fourier(request);
  else bench_solver(request);
}

}  // namespace locum::cli
