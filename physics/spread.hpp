#pragma once
#include <torch/torch.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace locum::physics {

/// How the parameters of many problems lie in their ranges.
enum class Spread {
  random,  ///< Independently of each other.
  sobol    ///< Evenly: fewer problems cover the ranges as well.
};
constexpr auto option_names(Spread)
{
  return std::array{std::pair{Spread::random, "random"}, std::pair{Spread::sobol, "sobol"}};
}

/// Parameters of problem number `index`, each from 0 to 1, float64 [dimensions]. They depend on seed, purpose (of
/// random ones) and index alone.
torch::Tensor spread_point(Spread spread, std::uint64_t seed, std::string_view purpose, std::int64_t index,
                           std::int64_t dimensions);

}  // namespace locum::physics
