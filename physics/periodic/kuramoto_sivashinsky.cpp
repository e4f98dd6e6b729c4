#include "kuramoto_sivashinsky.hpp"

#include "../requirements.hpp"

namespace locum::physics {

KuramotoSivashinsky::KuramotoSivashinsky(KuramotoSivashinskyOptions options)
    : options_(options), half_advection_(options.advection / 2), third_of_cubic_(options.cubic / 3)
{
  require_positive(name(), {{"length", options.length}});
}

Grid KuramotoSivashinsky::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 1);
  return periodic_grid(cells, {options_.length});
}

Sample KuramotoSivashinsky::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  constexpr int waves = 8;
  const Tensor angle = grid.coordinates(0) * (2 * std::numbers::pi / options_.length);
  return draw_states(grid, "u", seed, first, count, [&](RandomStream& random) {
    const Tensor amplitudes = 0.1 * random.normal({2, waves});
    Tensor u = torch::zeros_like(angle);
    if (options_.mean > 0) u = u + options_.mean * random.normal({1});
    for (int k = 1; k <= waves; ++k)
      u = u + amplitudes[0][k - 1] * (k * angle).cos() + amplitudes[1][k - 1] * (k * angle).sin();
    return u;
  });
}

FourierForm KuramotoSivashinsky::form(const Grid& grid) const
{
  const Tensor d = derivative(grid, 0), k2 = squared_wave_number(grid);
  return {.linear = matrix_of({{options_.second * k2 - options_.fourth * k2.square() + options_.third * (k2 * d)}}),
          .expand = matrix_of({{torch::ones_like(d)}}),
          .mean = {},
          .contract = matrix_of({{-d}}),
          .forcing = {}};
}

}  // namespace locum::physics
