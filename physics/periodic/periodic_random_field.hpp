#pragma once
#include <locum/core/random.hpp>
#include <locum/core/sample.hpp>

#include <cstdint>

namespace locum::physics {

/// Gaussian random functions in the periodic box of side 1, with mean zero and covariance scale² (−Δ + τ²)^−α:
///     g(x) = Σ_k scale (4π²|k|² + τ²)^(−α/2) √2 (ξ_k cos 2πk·x + η_k sin 2πk·x)
/// over half of the whole-numbered k ≠ 0; ξ_k, η_k independent standard normal.
///
/// A function is its coefficients, of which no grid sees more than it resolves: one draw is the same function at every
/// resolution. Source: Li et al., ICLR 2021, appendix A.3.3 (Navier–Stokes: τ = 7, α = 2.5, scale 7^1.5).
class PeriodicRandomField {
 public:
  /// @param axes  of the box: 1 or 2. Modes up to 512 or 64 along each of them are drawn.
  /// @throws OptionError  if tau is negative or alpha does not exceed half the axes: the variance would be infinite
  PeriodicRandomField(int axes, double tau, double alpha, double scale);

  /// A random function at the points of a grid whatever its lengths, which count as 1; float64 [(y,) x].
  Tensor draw(RandomStream& random, const Grid& grid) const;

 private:
  std::int64_t highest_;
  Tensor amplitudes_;  // [(ky = 0 … highest, −highest … −1,) kx = 0 … highest]
};

}  // namespace locum::physics
