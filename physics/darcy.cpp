#include "darcy.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>
#include <locum/core/random.hpp>

#include <cmath>
#include <numbers>

#include "requirements.hpp"

namespace locum::physics {

Darcy::Darcy(DarcyOptions options) : Diffusion("darcy", options.sides), options_(std::move(options))
{
  require_positive(name(), {{"low", options_.low}, {"high", options_.high}, {"deviation", options_.deviation}});
  GaussianRandomField(options_.tau, options_.alpha, 2);  // refuses what no grid could have
}

Sample Darcy::draw(const Grid& grid, std::uint64_t seed, std::int64_t first, std::int64_t count) const
{
  const GaussianRandomField field(options_.tau, options_.alpha, grid.axes.size());
  std::vector<Tensor> permeabilities;
  for (std::int64_t i = first; i < first + count; ++i) {
    RandomStream random(seed, "permeability", static_cast<std::uint64_t>(i));
    const Tensor g = GaussianRandomField::evaluate(field.draw(random), grid);
    if (options_.permeability == Permeability::lognormal)
      permeabilities.push_back((g * (options_.deviation / field.standard_deviation())).exp());
    else permeabilities.push_back(torch::where(g < 0, torch::full_like(g, options_.low), options_.high));
  }
  Sample problems{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  problems.fields["permeability"] = {.values = torch::stack(permeabilities).unsqueeze(1), .unit = "1"};
  return problems;
}

Sample darcy_manufactured(const Grid& grid)
{
  const double pi = std::numbers::pi;
  const Tensor y = grid.coordinates(0).unsqueeze(1), x = grid.coordinates(1);
  const Tensor a = 1 + x * y;
  const Tensor u = (pi * x).sin() * (pi * y).sin();
  const Tensor u_x = pi * (pi * x).cos() * (pi * y).sin();
  const Tensor u_y = pi * (pi * x).sin() * (pi * y).cos();
  const Tensor f = 2 * pi * pi * a * u - y * u_x - x * u_y;  // −a Δu − ∇a·∇u

  Sample exact{.domain = grid, .fields = {}, .scalars = {}, .time = 0};
  exact.fields["permeability"] = {.values = a.unsqueeze(0).unsqueeze(0), .unit = "1"};
  exact.fields["forcing"] = {.values = f.unsqueeze(0).unsqueeze(0), .unit = "1"};
  exact.fields["pressure"] = {.values = u.unsqueeze(0).unsqueeze(0), .unit = "1"};
  return exact;
}

}  // namespace locum::physics
