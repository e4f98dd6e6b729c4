#include "gaussian_random_field.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <cmath>
#include <numbers>

namespace locum::physics {

GaussianRandomField::GaussianRandomField(double tau, double alpha)
{
  if (!(tau >= 0) || !(alpha > 1))
    throw OptionError({.doing = "making a Gaussian random field",
                       .where = "tau, alpha",
                       .found = fmt::format("tau = {}, alpha = {}", tau, alpha),
                       .expected = "tau ≥ 0 and alpha > 1",
                       .advice = "tau = 3.0, alpha = 2.0"});
  const Tensor squares = torch::arange(modes, torch::kFloat64).square() * (std::numbers::pi * std::numbers::pi);
  amplitudes_ = (squares.unsqueeze(1) + squares + tau * tau).pow(-alpha / 2);
  amplitudes_[0][0] = 0;
}

Tensor GaussianRandomField::draw(RandomStream& random) const { return random.normal({modes, modes}) * amplitudes_; }

/// φ_k at the points of an axis, [point, mode].
static Tensor cosines(const Tensor& coordinates, std::int64_t modes)
{
  const Tensor k = torch::arange(modes, torch::kFloat64);
  const Tensor phi = (coordinates.unsqueeze(1) * (k * std::numbers::pi)).cos() * std::numbers::sqrt2;
  phi.select(1, 0).fill_(1);
  return phi;
}

Tensor GaussianRandomField::evaluate(const Tensor& coefficients, const Grid& grid)
{
  const Tensor phi_y = cosines(grid.coordinates(0), coefficients.size(0));
  const Tensor phi_x = cosines(grid.coordinates(1), coefficients.size(1));
  return phi_y.mm(coefficients).mm(phi_x.t());
}

double GaussianRandomField::standard_deviation() const { return amplitudes_.norm().item<double>(); }

}  // namespace locum::physics
