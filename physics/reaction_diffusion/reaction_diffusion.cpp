#include "reaction_diffusion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locum/core/error.hpp>

namespace locum::physics {

ReactionDiffusion::Edge ReactionDiffusion::edge(std::size_t, bool, double) const { return {}; }

Tensor ReactionDiffusion::tendency(const Tensor& state, const Grid& grid) const
{
  const auto species = static_cast<std::int64_t>(this->state().size());
  if (state.dim() < 3 || state.size(1) != species || state.sizes().slice(2) != grid.shape())
    throw ShapeError({.doing = "computing the tendency of equation " + name(),
                      .where = "the state",
                      .found = to_string(state.sizes()),
                      .expected = fmt::format("[batch, {}, {}]", species, fmt::join(grid.shape(), ", ")),
                      .advice = ""});
  const auto u = state.unbind(1);
  const auto reaction = react(u);
  std::vector<Tensor> rates;
  for (std::size_t s = 0; s < u.size(); ++s) {
    Tensor laplacian = torch::zeros_like(u[s]);
    for (std::size_t axis = 0; axis < grid.axes.size(); ++axis) {
      const auto dimension = static_cast<std::int64_t>(axis) + 1;
      const auto [name, points, origin, spacing, periodic, unit] = grid.axes[axis];
      const Edge low = edge(axis, false, spacing), high = edge(axis, true, spacing);
      const Tensor below = low.constant + low.factor * u[s].narrow(dimension, 0, 1);
      const Tensor above = high.constant + high.factor * u[s].narrow(dimension, points - 1, 1);
      const Tensor wide = torch::cat({below, u[s], above}, dimension);
      laplacian = laplacian + (wide.narrow(dimension, 0, points) - 2 * u[s] + wide.narrow(dimension, 2, points)) /
                                  (spacing * spacing);
    }
    rates.push_back(diffusivity(s, u[s]) * laplacian + reaction[s]);
  }
  return torch::stack(rates, 1);
}

}  // namespace locum::physics
