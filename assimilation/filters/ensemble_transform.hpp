#pragma once
#include <Eigen/Eigenvalues>

#include "../ensemble.hpp"

namespace locum::assimilation {

/// The ensemble transform: analysis = mean + (T + 1 wᵀ) anomalies, with
///     w = (S Sᵀ + ζ I)⁻¹ S dᵀ,   T = √(n − 1) (S Sᵀ + ζ I)^{−1/2}, the symmetric root.
/// S are whitened anomalies of what n members would have seen, d is the whitened innovation of their mean; ζ = n − 1
/// for the Kalman filter.
///
/// The root of a matrix near the unit matrix, as S Sᵀ / ζ + I is where a filter works, comes from a coupled
/// Newton–Schulz iteration, of products alone; else from eigenvectors.
///
/// Sources: Hunt, Kostelich & Szunyogh, Physica D 230 (2007), §2.3; Higham, Functions of Matrices (2008), eq. 6.35.
class EnsembleTransform {
 public:
  /// @param s     [member, observation]
  /// @param d     [observation]
  void compute(const Eigen::Ref<const Matrix>& s, const RowVector& d, double zeta);
  /// The same from products, for who has them: S Sᵀ [member, member] and S dᵀ [member].
  void compute_from(const Matrix& products, const Vector& projections, double zeta);

  /// T + 1 wᵀ: rows say what each member of the analysis is made of. [member, member]
  const Matrix& weights() const noexcept { return weights_; }
  const Vector& mean_weights() const noexcept { return mean_weights_; }  ///< w
  const Matrix& root() const noexcept { return root_; }                  ///< T
  Matrix inverse_root() const;

 private:
  void iterate(double bound);  // root_ = (products_ + 1)^{−1/2} by products
  void decompose();            // the same by eigenvectors

  Matrix products_;  // S Sᵀ / ζ
  Matrix square_root_, step_, product_;
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen_;
  double scale_ = 1;  // T is so many times that
  Vector mean_weights_;
  Matrix root_, weights_;
};

/// Turns anomalies at random without changing their mean or covariance: reflections at random planes that hold the
/// vector of ones, as many as `normal` has rows.
///
/// Source: Sakov & Oke, Tellus 60A (2008), §3.
/// @param anomalies  [member, variable], of mean zero; changed in place
/// @param normal     independent standard normal numbers, [reflection, member]
void rotate(Matrix& anomalies, const Matrix& normal);

}  // namespace locum::assimilation
