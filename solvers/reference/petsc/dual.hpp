#pragma once
#include <array>

namespace locum::solvers {

/// A number and its derivatives by `directions` variables: arithmetic on it is differentiation, exact to rounding.
template <int directions>
struct Dual {
  double value = 0;
  std::array<double, directions> slope{};

  /// Variable number `which`, at `value`.
  static Dual variable(double value, int which)
  {
    Dual made{.value = value, .slope = {}};
    made.slope[static_cast<std::size_t>(which)] = 1;
    return made;
  }

  friend Dual operator+(Dual a, const Dual& b)
  {
    a.value += b.value;
    for (int d = 0; d < directions; ++d) a.slope[d] += b.slope[d];
    return a;
  }
  friend Dual operator-(Dual a, const Dual& b)
  {
    a.value -= b.value;
    for (int d = 0; d < directions; ++d) a.slope[d] -= b.slope[d];
    return a;
  }
  friend Dual operator*(const Dual& a, const Dual& b)
  {
    Dual product{.value = a.value * b.value, .slope = {}};
    for (int d = 0; d < directions; ++d) product.slope[d] = a.value * b.slope[d] + b.value * a.slope[d];
    return product;
  }
  friend Dual operator+(Dual a, double b)
  {
    a.value += b;
    return a;
  }
  friend Dual operator*(Dual a, double b)
  {
    a.value *= b;
    for (int d = 0; d < directions; ++d) a.slope[d] *= b;
    return a;
  }
  friend Dual operator*(double a, const Dual& b) { return b * a; }
};

}  // namespace locum::solvers
