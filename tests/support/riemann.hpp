#pragma once
#include <array>
#include <cmath>
#include <vector>

namespace locum::tests {

/// A zero of a function that changes sign between a and b.
template <class Function>
double zero_between(double a, double b, const Function& function)
{
  const bool rises = function(b) > 0;
  for (int i = 0; i < 200; ++i) {
    const double middle = (a + b) / 2;
    ((function(middle) > 0) == rises ? b : a) = middle;
  }
  return (a + b) / 2;
}

/// Density, velocity and pressure of a gas.
using GasState = std::array<double, 3>;

/// The exact solution of Riemann's problem of a gas without vacuum, at speed x / t.
/// Source: Toro, Riemann Solvers and Numerical Methods for Fluid Dynamics (2009), ch. 4.
class GasRiemann {
 public:
  GasRiemann(const GasState& left, const GasState& right, double gamma) : left_(left), right_(right), gamma_(gamma)
  {
    pressure_ =
        zero_between(1e-12, 1e6, [&](double p) { return change(left, p) + change(right, p) + right[1] - left[1]; });
    velocity_ = (left[1] + right[1] + change(right, pressure_) - change(left, pressure_)) / 2;
  }

  GasState at(double speed) const
  {
    if (speed <= velocity_) return of_side(left_, speed, 1);
    return of_side({right_[0], -right_[1], right_[2]}, -speed, -1);
  }

 private:
  double sound(const GasState& w) const { return std::sqrt(gamma_ * w[2] / w[0]); }

  /// By how much a wave to pressure p changes the velocity.
  double change(const GasState& w, double p) const
  {
    const double g = gamma_;
    if (p > w[2]) return (p - w[2]) * std::sqrt(2 / ((g + 1) * w[0]) / (p + (g - 1) / (g + 1) * w[2]));
    return 2 * sound(w) / (g - 1) * (std::pow(p / w[2], (g - 1) / (2 * g)) - 1);
  }

  /// Left of the contact wave; the right side is its mirror image.
  GasState of_side(const GasState& w, double speed, double sign) const
  {
    const double g = gamma_, c = sound(w), ratio = pressure_ / w[2], star = sign * velocity_;
    const auto answer = [&](double rho, double u, double p) { return GasState{rho, sign * u, p}; };
    if (ratio > 1) {  // a shock
      const double shock = w[1] - c * std::sqrt((g + 1) / (2 * g) * ratio + (g - 1) / (2 * g));
      if (speed < shock) return answer(w[0], w[1], w[2]);
      const double k = (g - 1) / (g + 1);
      return answer(w[0] * (ratio + k) / (k * ratio + 1), star, pressure_);
    }
    const double behind = c * std::pow(ratio, (g - 1) / (2 * g));
    if (speed < w[1] - c) return answer(w[0], w[1], w[2]);
    if (speed > star - behind) return answer(w[0] * std::pow(ratio, 1 / g), star, pressure_);
    const double inside = 2 / (g + 1) + (g - 1) / ((g + 1) * c) * (w[1] - speed);  // over c
    return answer(w[0] * std::pow(inside, 2 / (g - 1)), 2 / (g + 1) * (c + (g - 1) / 2 * w[1] + speed),
                  w[2] * std::pow(inside, 2 * g / (g - 1)));
  }

  GasState left_, right_;
  double gamma_, pressure_ = 0, velocity_ = 0;
};

/// Depth and velocity after the break of a dam between water at rest, depths high > low, at speed x / t. With low = 0
/// the bed is dry: Ritter (1892); else Stoker, Water Waves (1957), §10.8.
inline std::array<double, 2> dam_break(double high, double low, double gravity, double speed)
{
  const double c = std::sqrt(gravity * high);
  const auto in_fan = [&] { return std::array{std::pow((2 * c - speed) / 3, 2) / gravity, 2.0 / 3 * (c + speed)}; };
  if (speed < -c) return {high, 0};
  if (low == 0) return speed < 2 * c ? in_fan() : std::array{0.0, 0.0};
  const auto behind_shock = [&](double h) { return (h - low) * std::sqrt(gravity / 2 * (1 / h + 1 / low)); };
  const double h =
      zero_between(low, high, [&](double depth) { return behind_shock(depth) + 2 * (std::sqrt(gravity * depth) - c); });
  const double u = behind_shock(h), shock = u * h / (h - low);
  if (speed < u - std::sqrt(gravity * h)) return in_fan();
  return speed < shock ? std::array{h, u} : std::array{low, 0.0};
}

}  // namespace locum::tests
