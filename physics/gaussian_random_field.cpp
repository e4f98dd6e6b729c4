#include "gaussian_random_field.hpp"

#include <fmt/format.h>
#include <locum/core/error.hpp>

#include <cmath>
#include <numbers>

namespace locum::physics {

GaussianRandomField::GaussianRandomField(double tau, double alpha, std::size_t axes)
{
  if (!(tau >= 0) || !(2 * alpha > static_cast<double>(axes)))
    throw OptionError({.doing = "making a Gaussian random field",
                       .where = "tau, alpha",
                       .found = fmt::format("tau = {}, alpha = {}", tau, alpha),
                       .expected = fmt::format("tau ≥ 0 and alpha > {}", axes == 2 ? "1" : "1.5"),
                       .advice = "tau = 3.0, alpha = 2.0"});
  const std::int64_t modes = axes == 2 ? 128 : 32;
  const Tensor squares = torch::arange(modes, torch::kFloat64).square() * (std::numbers::pi * std::numbers::pi);
  Tensor sums = squares;
  for (std::size_t axis = 1; axis < axes; ++axis) sums = sums.unsqueeze(-1) + squares;
  amplitudes_ = (sums + tau * tau).pow(-alpha / 2);
  amplitudes_.view(-1)[0] = 0;
}

Tensor GaussianRandomField::draw(RandomStream& random) const
{
  return random.normal(amplitudes_.sizes()) * amplitudes_;
}

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
  const auto phi = [&](std::size_t axis) { return cosines(grid.coordinates(axis), coefficients.size(0)); };
  if (coefficients.dim() == 2) return phi(0).mm(coefficients).mm(phi(1).t());
  const Tensor planes = torch::tensordot(phi(0), coefficients, {1}, {0});  // [z, modes of y, modes of x]
  return torch::matmul(torch::matmul(phi(1), planes), phi(2).t());
}

double GaussianRandomField::standard_deviation() const { return amplitudes_.norm().item<double>(); }

}  // namespace locum::physics
