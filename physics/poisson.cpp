#include "poisson.hpp"

#include "gaussian_random_field.hpp"
#include "requirements.hpp"

namespace locum::physics {

Poisson::Poisson(PoissonOptions options) : Diffusion("poisson", options.sides), options_(std::move(options))
{
  require_positive(name(), {{"deviation", options_.deviation}});
  GaussianRandomField(options_.tau, options_.alpha, 2);  // refuses what no grid could have
}

Sample Poisson::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  const GaussianRandomField field(options_.tau, options_.alpha, grid.axes.size());
  const double scale = options_.deviation / field.standard_deviation();
  std::vector<Tensor> forcings;
  for (std::int64_t i = first; i < first + count; ++i) {
    RandomStream random(seed, "forcing", static_cast<std::uint64_t>(i));
    forcings.push_back(GaussianRandomField::evaluate(field.draw(random), grid) * scale);
  }
  Sample problems{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  problems.fields["forcing"] = {.values = torch::stack(forcings).unsqueeze(1), .unit = "1"};
  return problems;
}

}  // namespace locum::physics
