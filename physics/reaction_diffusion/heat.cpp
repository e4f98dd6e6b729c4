#include "heat.hpp"

#include "../gaussian_random_field.hpp"
#include "../requirements.hpp"

namespace locum::physics {

Heat::Heat(HeatOptions options) : options_(std::move(options)), sides_("heat", options_.sides)
{
  require_positive(name(), {{"length", options_.length}, {"deviation", options_.deviation}});
  require_not_negative(name(), {{"diffusivity", options_.diffusivity}});
  GaussianRandomField(options_.tau, options_.alpha);  // refuses what no grid could have
}

Grid Heat::grid(const std::vector<std::int64_t>& cells) const
{
  require_axes(name(), cells, 2);
  return Grid::cell_centres(cells, {options_.length, options_.length});
}

Sample Heat::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  const GaussianRandomField field(options_.tau, options_.alpha);
  const Grid unit_square = Grid::cell_centres(grid.shape(), {1, 1});
  std::vector<Tensor> states;
  for (std::int64_t i = first; i < first + count; ++i) {
    RandomStream random(seed, "initial state", static_cast<std::uint64_t>(i));
    states.push_back(GaussianRandomField::evaluate(field.draw(random), unit_square));
  }
  Sample sample{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  const double scale = options_.deviation / field.standard_deviation();
  sample.fields["temperature"] = {.values = torch::stack(states).unsqueeze(1) * scale, .unit = "1"};
  return sample;
}

ReactionDiffusion::Edge Heat::edge(std::size_t axis, bool high, double) const
{
  const std::size_t side = (axis == 0 ? 2 : 0) + (high ? 1 : 0);  // y before x
  if (!sides_.given(side)) return {};
  return {.constant = 2 * sides_.value(side), .factor = -1};  // the mean of both is the side's
}

void Heat::react(const double*, double* f) const { f[0] = 0; }

std::vector<Tensor> Heat::react(const std::vector<Tensor>& u) const { return {torch::zeros_like(u[0])}; }

ReactionDiffusion::Diffusivity Heat::diffusivity(std::size_t, double) const { return {options_.diffusivity, 0}; }

Tensor Heat::diffusivity(std::size_t, const Tensor& u) const
{
  return torch::full({}, options_.diffusivity, u.options());
}

}  // namespace locum::physics
