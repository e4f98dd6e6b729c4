#pragma once
#include "ensemble_transform.hpp"
#include "filter.hpp"

namespace locum::assimilation {

/// The ensemble transform Kalman filter, with the symmetric square root.
/// Sources: Bishop, Etherton & Majumdar, Mon. Wea. Rev. 129 (2001); Hunt et al., Physica D 230 (2007).
class TransformFilter : public Filter {
 public:
  using Filter::Filter;
  std::string description() const override;

 protected:
  Matrix analyse(const Matrix& forecast, const Observations& observations, const Forecast& model,
                 std::int64_t number) override;
  /// ζ of EnsembleTransform.
  virtual double zeta(const Matrix& s, const RowVector& d) const;

 private:
  EnsembleTransform transform_;
};

/// The finite-size filter EnKF-N: it finds in every cycle, by the dual cost function, the inflation that accounts for
/// the sampling error of a small ensemble. Needs no other inflation while the model is perfect.
///
/// Sources: Bocquet, Nonlin. Processes Geophys. 18 (2011); Bocquet, Raanes & Hannart, ibid. 22 (2015), §4–5, with its
/// correction of the prior's mode.
class FiniteSizeFilter : public TransformFilter {
 public:
  using TransformFilter::TransformFilter;
  std::string description() const override;

 protected:
  double zeta(const Matrix& s, const RowVector& d) const override;
};

}  // namespace locum::assimilation
