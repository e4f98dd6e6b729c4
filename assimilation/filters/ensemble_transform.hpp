#pragma once
#include <Eigen/Eigenvalues>

#include "../ensemble.hpp"

namespace locum::assimilation {

/// The ensemble transform: analysis = mean + (T + 1 wᵀ) anomalies, with
///     w = (S Sᵀ + ζ I)⁻¹ S dᵀ,   T = √(n − 1) (S Sᵀ + ζ I)^{−1/2}, the symmetric root.
/// S are whitened anomalies of what n members would have seen, d is the whitened innovation of their mean; ζ = n − 1
/// for the Kalman filter.
///
/// Source: Hunt, Kostelich & Szunyogh, Physica D 230 (2007), §2.3.
class EnsembleTransform {
 public:
  /// @param s     [member, observation]
  /// @param d     [observation]
  void compute(const Eigen::Ref<const Matrix>& s, const RowVector& d, double zeta);
  /// The same from products, for who has them: S Sᵀ [member, member] and S dᵀ [member].
  void compute(const Eigen::MatrixXd& products, const Vector& projections, double zeta);

  /// T + 1 wᵀ: rows say what each member of the analysis is made of. [member, member]
  const Matrix& weights() const noexcept { return weights_; }
  const Vector& mean_weights() const noexcept { return mean_weights_; }  ///< w
  /// T and its inverse, both symmetric.
  Eigen::MatrixXd root() const;
  Eigen::MatrixXd inverse_root() const;

 private:
  Eigen::MatrixXd products_, scaled_;
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen_;
  Vector scale_;  // of T, by eigenvalue
  Vector mean_weights_;
  Matrix weights_;
};

/// Turns anomalies at random without changing their mean or covariance: random orthogonal, uniformly distributed among
/// those that keep the vector of ones.
///
/// Sources: Sakov & Oke, Tellus 60A (2008), §3; Stewart, SIAM J. Numer. Anal. 17 (1980).
/// @param anomalies  [member, variable], of mean zero; changed in place
/// @param normal     independent standard normal numbers, at least n (n − 1) / 2
void rotate(Matrix& anomalies, const RowVector& normal);

}  // namespace locum::assimilation
