#include "random.hpp"

#include <cmath>
#include <numbers>
#include <utility>

namespace locum {

/// Mixes 64 bits so that every input bit moves every output bit (SplitMix64's finaliser; Steele et al. 2014).
static std::uint64_t mix(std::uint64_t x)
{
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

static std::uint64_t key(std::uint64_t seed, std::string_view purpose)
{
  std::uint64_t hash = mix(seed);
  for (const char letter : purpose) hash = mix(hash ^ static_cast<unsigned char>(letter));
  return hash;
}

RandomStream::RandomStream(std::uint64_t seed, std::string_view purpose, std::uint64_t index)
    : engine_(key(seed, purpose), index)
{
}

double RandomStream::next_uniform()
{
  const std::uint64_t high = engine_() >> 6;
  const std::uint64_t low = engine_() >> 6;
  return (static_cast<double>(high << 26 | low) + 0.5) * 0x1p-52;  // 52 bits and a half: never 0, never 1
}

torch::Tensor RandomStream::uniform(torch::IntArrayRef shape)
{
  const auto tensor = torch::empty(shape, torch::kFloat64);
  double* values = tensor.data_ptr<double>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) values[i] = next_uniform();
  return tensor;
}

torch::Tensor RandomStream::normal(torch::IntArrayRef shape)
{
  const auto tensor = torch::empty(shape, torch::kFloat64);
  double* values = tensor.data_ptr<double>();
  for (std::int64_t i = 0; i < tensor.numel(); i += 2) {  // Box–Muller: two at a time
    const double radius = std::sqrt(-2 * std::log(next_uniform()));
    const double angle = 2 * std::numbers::pi * next_uniform();
    values[i] = radius * std::cos(angle);
    if (i + 1 < tensor.numel()) values[i + 1] = radius * std::sin(angle);
  }
  return tensor;
}

torch::Tensor RandomStream::permutation(std::int64_t count)
{
  const auto order = torch::arange(count, torch::kInt64);
  auto* values = order.data_ptr<std::int64_t>();
  for (std::int64_t i = count - 1; i > 0; --i)  // Fisher–Yates
    std::swap(values[i], values[static_cast<std::int64_t>(next_uniform() * static_cast<double>(i + 1))]);
  return order;
}

}  // namespace locum
