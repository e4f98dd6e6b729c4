#pragma once
#include "../ensemble.hpp"

namespace locum::assimilation {

// Products of matrices as small as an ensemble: loops for the processor at hand, several times faster than Eigen's for
// the oldest one.

/// a b. @param out  not one of the factors
void multiply(const Matrix& a, const Matrix& b, Matrix& out);
/// aᵀ a
void gram(const Matrix& a, Matrix& out);

}  // namespace locum::assimilation
