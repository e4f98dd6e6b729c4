#pragma once
#include <locum/operators/training/trainer.hpp>

#include <filesystem>

#include "support/temporary_folder.hpp"

namespace locum::tests {

/// v = 3 ∂u/∂x + 2 of random band-limited u on 32 points: a map a Fourier layer learns fast.
inline io::Batch derivative_data(std::int64_t samples, std::uint64_t seed)
{
  const torch::Tensor x = torch::arange(32, torch::kFloat64) * (2 * M_PI / 32);
  const torch::Tensor k = torch::arange(1, 4, torch::kFloat64).unsqueeze(1);
  RandomStream random(seed, "coefficients");
  const torch::Tensor a = random.normal({samples, 3}), b = random.normal({samples, 3});
  const torch::Tensor u = a.mm((k * x).sin()) + b.mm((k * x).cos());
  const torch::Tensor v = 3 * (a.mm(k * (k * x).cos()) - b.mm(k * (k * x).sin())) + 2;
  return {.inputs = u.unsqueeze(1).to(torch::kFloat32), .outputs = v.unsqueeze(1).to(torch::kFloat32)};
}

/// A small operator from u to v, untrained.
inline operators::Surrogate fresh(torch::Dtype type = torch::kFloat32, std::uint64_t seed = 3)
{
  return operators::Surrogate("name = \"fourier\"\nmodes = [4]\nwidth = 8\nlayers = 2\nprojection_hidden = 16\n",
                              {{.field = "u", .component = 0, .unit = "m s-1"}},
                              {{.field = "v", .component = 0, .unit = "Pa"}}, RandomStream(seed, "weights"), type);
}

inline operators::TrainingOptions quick(std::int64_t epochs)
{
  operators::TrainingOptions options;
  options.epochs = epochs;
  options.batch = 10;
  options.device = operators::Device::cpu;
  options.schedule.rate = 1e-2;
  options.schedule.cosine_epochs = 6;
  return options;
}

inline bool same_weights(operators::Surrogate& a, operators::Surrogate& b)
{
  const auto theirs = b.model().named_parameters();
  for (const auto& item : a.model().named_parameters())
    if (!torch::equal(item.value(), theirs[item.key()])) return false;
  return true;
}

/// The folder of rank 0, for all.
inline std::filesystem::path shared(const Communicator& ranks, const TemporaryFolder& folder)
{
  return ranks.broadcast(folder.path().string());
}

}  // namespace locum::tests
