#include "sobol.hpp"

#include "random.hpp"

namespace locum {

torch::Tensor sobol_points(std::int64_t count, std::int64_t dimensions, std::uint64_t seed)
{
  constexpr std::int64_t bits = 30;  // libtorch's
  constexpr double one = 1 << bits;
  torch::Tensor state = torch::zeros({dimensions, bits}, torch::kInt64);
  torch::_sobol_engine_initialize_state_(state, dimensions);
  const torch::Tensor shift =
      (RandomStream(seed, "shift of Sobol's points").uniform({dimensions}) * one).to(torch::kInt64);
  const torch::Tensor first = (shift.to(torch::kFloat64) / one).unsqueeze(0);
  if (count <= 1) return first.narrow(0, 0, count);
  const auto others =
      std::get<0>(torch::_sobol_engine_draw(shift, count - 1, state, dimensions, /*num_generated=*/0, torch::kFloat64));
  return torch::cat({first, others});
}

}  // namespace locum
