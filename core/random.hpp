#pragma once
#include <ATen/core/PhiloxRNGEngine.h>
#include <torch/torch.h>

#include <cstdint>
#include <string_view>

namespace locum {

/// A named, counter-based stream of random numbers (Philox4x32-10; Salmon et al., SC 2011).
///
/// The numbers depend on (seed, purpose, index) and the position in the stream, on nothing else: not on the order in
/// which streams are used, not on the number of ranks or threads, not on any global generator. So sample 17 is the
/// same sample whoever draws it, and a restarted run needs no generator state: it opens the stream of its epoch again.
///
///     RandomStream(seed, "permeability", sample).normal({64, 64});
///     RandomStream(seed, "shuffle", epoch).permutation(samples);
class RandomStream {
 public:
  /// @param seed     the run's seed
  /// @param purpose  what the numbers are for; different purposes give independent streams
  /// @param index    which of many alike: sample, epoch, member
  RandomStream(std::uint64_t seed, std::string_view purpose, std::uint64_t index = 0);

  /// Independent uniform numbers in (0, 1), float64.
  torch::Tensor uniform(torch::IntArrayRef shape);
  /// Independent standard normal numbers, float64.
  torch::Tensor normal(torch::IntArrayRef shape);
  /// A random order of 0 … count−1, int64 [count].
  torch::Tensor permutation(std::int64_t count);

 private:
  double next_uniform();
  at::philox_engine engine_;
};

}  // namespace locum
