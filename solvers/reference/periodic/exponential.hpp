#pragma once
#include <locum/core/sample.hpp>

#include <array>

namespace locum::solvers {

/// φ_0 … φ_3 of square matrices, one a mode: φ_0(z) = exp z, φ_j(z) = (φ_{j−1}(z) − 1/(j−1)!) / z.
///
/// By Taylor series of z / 2^s and s doublings (Berland, Skaflestad & Wright, ACM Trans. Math. Softw. 33 (2007), §3):
/// as accurate near z = 0 as the contour integral of Kassam & Trefethen (2005), and matrices may have any eigenvectors.
/// @param matrices  [row, column, mode…], complex128
std::array<Tensor, 4> exponential_functions(const Tensor& matrices);

/// The unit matrix at every mode, shaped as `matrices`.
Tensor identity_like(const Tensor& matrices);

/// The product of two matrices at every mode. @param a, b  [row, column, mode…]
Tensor multiply_per_mode(const Tensor& a, const Tensor& b);

}  // namespace locum::solvers
