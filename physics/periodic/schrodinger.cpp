#include "schrodinger.hpp"

#include "../requirements.hpp"

namespace locum::physics {

Schrodinger::Schrodinger(SchrodingerOptions options) : options_(options)
{
  require_positive(name(), {{"length", options.length}});
}

Grid Schrodinger::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 1);
  return periodic_grid(cells, {options_.length});
}

Tensor Schrodinger::soliton(const Grid& grid, double height, double speed, double centre, double time) const
{
  const double length = options_.length;
  const Tensor away = torch::remainder(grid.coordinates(0) - centre - speed * time + length / 2, length) - length / 2;
  const Tensor size = height / (height * away).cosh();
  const Tensor phase = speed * away + (speed * speed + height * height) / 2 * time;
  return torch::stack({size * phase.cos(), size * phase.sin()});
}

Sample Schrodinger::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  std::vector<Tensor> states;
  for (std::int64_t i = first; i < first + count; ++i) {
    const Tensor number = RandomStream(seed, "initial state", static_cast<std::uint64_t>(i)).uniform({2});
    const double height = (1 + number[0].item<double>()) * 15 / options_.length;
    states.push_back(soliton(grid, height, 0, options_.length * number[1].item<double>(), 0));
  }
  const Tensor both = torch::stack(states);
  Sample sample{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  sample.fields["real"] = {.values = both.narrow(1, 0, 1), .unit = "1"};
  sample.fields["imaginary"] = {.values = both.narrow(1, 1, 1), .unit = "1"};
  return sample;
}

FourierForm Schrodinger::form(const Grid& grid) const
{
  const Tensor half_k2 = squared_wave_number(grid) / 2, one = torch::ones_like(half_k2);
  const Tensor factor = options_.interaction * one;
  return {.linear = matrix_of({{Tensor(), half_k2}, {-half_k2, Tensor()}}),
          .expand = matrix_of({{one, Tensor()}, {Tensor(), one}}),
          .mean = {},
          .contract = matrix_of({{-factor, Tensor()}, {Tensor(), factor}}),
          .forcing = {}};
}

}  // namespace locum::physics
