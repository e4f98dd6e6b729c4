#include "periodic_random_field.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <cmath>
#include <numbers>

namespace locum::physics {

using torch::indexing::Slice;

/// 0 … highest, −highest … −1: as a Fourier transform orders them.
static Tensor whole_numbers(std::int64_t highest)
{
  return torch::cat({torch::arange(highest + 1), torch::arange(-highest, 0)}).to(torch::kFloat64);
}

PeriodicRandomField::PeriodicRandomField(int axes, double tau, double alpha, double scale)
    : highest_(axes == 1 ? 512 : 64)
{
  if (tau < 0 || !(2 * alpha > axes))
    throw OptionError({.doing = "setting up a periodic Gaussian random field",
                       .where = "tau, alpha",
                       .found = fmt::format("tau = {}, alpha = {}", tau, alpha),
                       .expected = fmt::format("tau ≥ 0 and alpha > {}", axes / 2.0),
                       .advice = "tau = 7.0, alpha = 2.5"});
  const Tensor kx = torch::arange(highest_ + 1, torch::kFloat64);
  const Tensor squares = axes == 1 ? kx.square() : whole_numbers(highest_).square().unsqueeze(1) + kx.square();
  amplitudes_ =
      scale * (4 * std::numbers::pi * std::numbers::pi * squares + tau * tau).pow(-alpha / 2) / std::sqrt(2.0);
  amplitudes_.flatten()[0] = 0;
}

Tensor PeriodicRandomField::draw(RandomStream& random, const Grid& grid) const
{
  Tensor modes = torch::complex(random.normal(amplitudes_.sizes()), random.normal(amplitudes_.sizes())) * amplitudes_;
  if (grid.axes.size() == 2)  // of k and −k, only one is drawn
    for (std::int64_t k = 1; k <= highest_; ++k) modes[2 * highest_ + 1 - k][0] = modes[k][0].conj();

  // The modes that the grid resolves, in its order.
  auto shape = grid.shape();
  const auto resolved = [&](std::size_t axis) { return std::min(highest_, (grid.axes[axis].points - 1) / 2); };
  const std::int64_t along_x = resolved(grid.axes.size() - 1) + 1;
  shape.back() = shape.back() / 2 + 1;
  Tensor seen = torch::zeros(shape, torch::kComplexDouble);
  if (grid.axes.size() == 1) seen.index_put_({Slice(0, along_x)}, modes.index({Slice(0, along_x)}));
  else {
    const std::int64_t along_y = resolved(0);
    seen.index_put_({Slice(0, along_y + 1), Slice(0, along_x)},
                    modes.index({Slice(0, along_y + 1), Slice(0, along_x)}));
    if (along_y > 0)
      seen.index_put_({Slice(-along_y, torch::indexing::None), Slice(0, along_x)},
                      modes.index({Slice(-along_y, torch::indexing::None), Slice(0, along_x)}));
  }
  return torch::fft::irfftn(seen, grid.shape(), c10::nullopt, "forward");
}

}  // namespace locum::physics
