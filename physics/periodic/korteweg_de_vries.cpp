#include "korteweg_de_vries.hpp"

#include <cmath>

#include "../requirements.hpp"

namespace locum::physics {

KortewegDeVries::KortewegDeVries(KortewegDeVriesOptions options) : options_(options)
{
  require_positive(name(), {{"length", options.length}, {"dispersion", options.dispersion}});
}

Grid KortewegDeVries::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 1);
  return periodic_grid(cells, {options_.length});
}

Tensor KortewegDeVries::soliton(const Grid& grid, double speed, double centre) const
{
  const double length = options_.length;
  const Tensor away = torch::remainder(grid.coordinates(0) - centre + length / 2, length) - length / 2;
  return 3 * speed / options_.advection * (away * (std::sqrt(speed / options_.dispersion) / 2)).cosh().pow(-2);
}

Sample KortewegDeVries::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  // A soliton of this speed is a tenth of the domain wide.
  const double usual = options_.dispersion * std::pow(20 / options_.length, 2);
  return draw_states(grid, "u", seed, first, count, [&](RandomStream& random) {
    const Tensor numbers = random.uniform({2, 2});
    const auto number = [&](int soliton, int which) { return numbers[soliton][which].item<double>(); };
    Tensor u = torch::zeros({grid.axes[0].points}, torch::kFloat64);
    for (int i = 0; i < 2; ++i)
      u = u + soliton(grid, usual * (1 + 2 * number(i, 0)),
                      options_.length * (0.5 * i + 0.25 + 0.2 * (number(i, 1) - 0.5)));
    return u;
  });
}

FourierForm KortewegDeVries::form(const Grid& grid) const
{
  const Tensor d = derivative(grid, 0);
  return {.linear = matrix_of({{options_.dispersion * (squared_wave_number(grid) * d)}}),
          .expand = matrix_of({{torch::ones_like(d)}}),
          .mean = {},
          .contract = matrix_of({{-0.5 * options_.advection * d}}),
          .forcing = {}};
}

}  // namespace locum::physics
