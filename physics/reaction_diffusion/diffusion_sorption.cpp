#include "diffusion_sorption.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/core/random.hpp>

#include <algorithm>
#include <cmath>

#include "../requirements.hpp"

namespace locum::physics {

static constexpr double least = 1e-6;  // keeps R finite where there is nothing

DiffusionSorption::DiffusionSorption(DiffusionSorptionOptions options) : options_(options)
{
  require_positive(name(), {{"length", options.length},
                            {"diffusivity", options.diffusivity},
                            {"porosity", options.porosity},
                            {"bulk_density", options.bulk_density},
                            {"freundlich_factor", options.freundlich_factor},
                            {"freundlich_exponent", options.freundlich_exponent},
                            {"solubility", options.solubility},
                            {"largest_start", options.largest_start}});
  if (options.porosity >= 1)
    throw OptionError({.doing = "setting up equation " + name(),
                       .where = "porosity",
                       .found = fmt::format("{}", options.porosity),
                       .expected = "below 1",
                       .advice = "porosity = 0.29"});
  sorption_ = (1 - options.porosity) / options.porosity * options.bulk_density * options.freundlich_factor *
              options.freundlich_exponent;
}

Grid DiffusionSorption::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 1);
  return Grid::cell_centres(cells, {options_.length});
}

Sample DiffusionSorption::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  std::vector<Tensor> states;
  for (std::int64_t i = first; i < first + count; ++i) {
    const Tensor level = RandomStream(seed, "initial state", static_cast<std::uint64_t>(i)).uniform({1});
    states.push_back((options_.largest_start * level).expand(grid.shape()).unsqueeze(0));
  }
  Sample sample{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  sample.fields["concentration"] = {.values = torch::stack(states), .unit = "1"};
  return sample;
}

ReactionDiffusion::Edge DiffusionSorption::edge(std::size_t, bool high, double spacing) const
{
  if (!high) return {2 * options_.solubility, -1};
  // ½ (beyond + here) = −D (beyond − here) / spacing
  const double d = 2 * options_.diffusivity;
  return {0, (d - spacing) / (d + spacing)};
}

void DiffusionSorption::react(const double*, double* f) const { f[0] = 0; }

std::vector<Tensor> DiffusionSorption::react(const std::vector<Tensor>& u) const { return {torch::zeros_like(u[0])}; }

ReactionDiffusion::Diffusivity DiffusionSorption::diffusivity(std::size_t, double u) const
{
  const double above = std::max(u, 0.0) + least, n = options_.freundlich_exponent;
  const double power = std::pow(above, n - 1), retardation = 1 + sorption_ * power;
  const double slope = u > 0 ? sorption_ * (n - 1) * power / above : 0;
  return {options_.diffusivity / retardation, -options_.diffusivity * slope / (retardation * retardation)};
}

Tensor DiffusionSorption::diffusivity(std::size_t, const Tensor& u) const
{
  return options_.diffusivity / (1 + sorption_ * (u.clamp_min(0) + least).pow(options_.freundlich_exponent - 1));
}

}  // namespace locum::physics
