#include "spread.hpp"

#include <locum/core/random.hpp>
#include <locum/core/sobol.hpp>

namespace locum::physics {

torch::Tensor spread_point(Spread spread, std::uint64_t seed, std::string_view purpose, std::int64_t index,
                           std::int64_t dimensions)
{
  if (spread == Spread::sobol) return sobol_points(index + 1, dimensions, seed)[index];
  return RandomStream(seed, purpose, static_cast<std::uint64_t>(index)).uniform({dimensions});
}

}  // namespace locum::physics
