#pragma once
#include <locum/core/sample.hpp>

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace locum::assimilation {

/// How fields on a grid are differentiated.
enum class Differentiation {
  spectral,           ///< By their Fourier modes; periodic grids.
  finite_differences  ///< Of an order of accuracy, one-sided at edges that are not periodic.
};
constexpr auto option_names(Differentiation)
{
  return std::array{std::pair{Differentiation::spectral, "spectral"},
                    std::pair{Differentiation::finite_differences, "finite_differences"}};
}

/// Weights w of values at `points` such that Σ w f is the derivative of f at 0, exact for polynomials of as many
/// coefficients. Source: Fornberg, Math. Comput. 51 (1988).
std::vector<double> finite_difference_weights(const std::vector<double>& points, int derivative);

/// Differentiates so often by x, y and z; axes are found by their names.
/// @param values  [batch, (z, y,) x]
/// @param order   of accuracy of finite differences, even
/// @return        the same shape
/// @throws OptionError  if the grid is not periodic and the method spectral, or has too few points
Tensor differentiate(const Tensor& values, const Grid& grid, const std::array<int, 3>& times, Differentiation method,
                     std::int64_t order);

/// Integrals of fields against smooth test functions of compact support,
///     ⟨ψ_c, f⟩,   ψ_c(x) ∝ Π_axis (1 − ((x − c) / a)²)^q  where |x − c| < a,  ∫ψ_c = 1,
/// in which derivatives of f are those of ψ but for a sign, so that noise is not differentiated. By the trapezoidal
/// rule, whose error is of order q + 1 − derivatives in the spacing for ψ is so smooth at its edge.
///
/// Source: Messenger & Bortz, J. Comput. Phys. 443 (2021), §3; Gurevich, Reinbold & Grigoriev, Chaos 29 (2019).
class TestFunctions {
 public:
  /// @param half_width  a, in spacings of the grid, along each axis or one for all
  /// @param smoothness  q
  /// @throws OptionError  if the support does not fit the grid, or q is below 1
  TestFunctions(const Grid& grid, std::vector<std::int64_t> half_width, std::int64_t smoothness);

  /// ⟨ψ_c, ∂f⟩ for every point c whose support lies within the grid.
  /// @param values  f, [batch, (z, y,) x]
  /// @param times   derivatives by x, y and z; fewer than q along each axis
  /// @return        [batch, (centre z, centre y,) centre x]; all points along a periodic axis
  Tensor integrate(const Tensor& values, const std::array<int, 3>& times) const;

  std::int64_t half_width(std::size_t axis) const { return half_width_[axis]; }
  std::int64_t smoothness() const { return smoothness_; }

 private:
  Grid grid_;
  std::vector<std::int64_t> half_width_;
  std::int64_t smoothness_;
};

}  // namespace locum::assimilation
