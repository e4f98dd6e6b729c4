#pragma once
#include "../localisation.hpp"

namespace locum::assimilation {

/// A covariance of states by its square root: rows such that P = AᵀA, and what would be seen of them.
struct CovarianceRoot {
  Matrix anomalies;  ///< A, [row, variable]
  Matrix seen;       ///< S: whitened, as linear observations would see these rows. [row, observation]
};

/// What a member's anomalies make of the covariance of the ensemble: both divided by √(n − 1), times √factor.
CovarianceRoot ensemble_root(const Matrix& anomalies, const Matrix& seen, double factor = 1);

/// Increments K d of states for whitened innovations, with K = P Hᵀ (H P Hᵀ + R)⁻¹, and P tapered with the distance if
/// `localisation` says so. In the space of rows or of observations, whichever is smaller.
/// @param innovations  whitened, [state, observation]
/// @return             [state, variable]
Matrix kalman_increments(const CovarianceRoot& root, const Matrix& innovations, Localisation& localisation,
                         const std::shared_ptr<const Network>& network, std::int64_t points);

}  // namespace locum::assimilation
