#pragma once
#include <locum/core/random.hpp>
#include <locum/core/sample.hpp>

#include <cstdint>

namespace locum::physics {

/// Gaussian random functions on the unit square or cube with mean zero and covariance (−Δ + τ²)^−α, where Δ is the
/// Laplacian with zero Neumann boundary conditions; on the square
///     g(y, x) = Σ_jk (π²(j² + k²) + τ²)^(−α/2) ξ_jk φ_j(y) φ_k(x),   ξ_jk independent standard normal,
///     φ_0 = 1,   φ_k(x) = √2 cos kπx.
///
/// A function is its coefficients; grids only sample it, so that one draw is the same function at every resolution.
/// The sum has 128 cosines an axis of the square, 32 of the cube: finer grids than that see a function smoother than
/// the covariance asks for (what is left out is 4e-5 of the variance at τ = 3, α = 2 on the square). The constant is
/// left out, as by the program that made the data published with the Fourier neural operator: every function has mean
/// zero over the square. Source: Li et al., ICLR 2021, appendix A.3.2 (Darcy, τ = 3, α = 2).
class GaussianRandomField {
 public:
  /// @param tau    inverse correlation length, 1 / length of the square's side; not negative
  /// @param alpha  smoothness; more than half the number of axes, or the variance would be infinite
  /// @param axes   2 or 3
  /// @throws OptionError  otherwise.
  GaussianRandomField(double tau, double alpha, std::size_t axes = 2);

  /// Coefficients of a random function, float64 [(modes of z,) modes of y, modes of x].
  Tensor draw(RandomStream& random) const;

  /// The function with these coefficients at the points of a grid on the unit square or cube, float64 [(z,) y, x].
  /// @param coefficients  as draw() returns them
  static Tensor evaluate(const Tensor& coefficients, const Grid& grid);

  /// √(E ∫ g²): root mean square over the domain and all draws.
  double standard_deviation() const;

 private:
  Tensor amplitudes_;  // standard deviation of each coefficient, [(modes of z,) modes of y, modes of x]
};

}  // namespace locum::physics
