#pragma once
#include <deque>

#include "../filters/ensemble_transform.hpp"
#include "../filters/inflation.hpp"
#include "../method.hpp"

namespace locum::assimilation {

/// The ensemble Kalman smoother: the ETKF, whose transforms also change the members at observation times before.
/// Source: Evensen & van Leeuwen, Mon. Wea. Rev. 128 (2000), with the transform of Hunt et al. (2007).
class TransformSmoother : public Method {
 public:
  /// @param lag  observation times that are changed, at least 1
  TransformSmoother(std::int64_t members, InflationOptions inflation, std::int64_t lag);

  std::string description() const override;
  std::int64_t members() const override { return members_; }
  Analysis cycle(const Matrix& members, double time, std::span<const Observations> observations,
                 const Forecast& forecast, std::int64_t number) override;
  void save(io::Checkpoint& checkpoint) const override;
  void load(const io::Checkpoint& checkpoint) override;

 private:
  std::int64_t members_, lag_;
  InflationOptions inflation_;
  EnsembleTransform transform_;
  std::deque<Matrix> past_;  // members at observation times before, the latest last
};

/// The iterative ensemble Kalman smoother: members at the start of a window of `lag` observation times are sought whose
/// forecast fits the latest observations, by Gauss–Newton in the space of the ensemble, so that the model may be
/// strongly nonlinear between observations. Its derivative is the ensemble's own (transform variant). A lag of 1 is the
/// IEnKF.
///
/// Source: Bocquet & Sakov, Q. J. R. Meteorol. Soc. 140 (2014), algorithm 1, single data assimilation.
class IterativeSmoother : public Method {
 public:
  IterativeSmoother(std::int64_t members, InflationOptions inflation, std::int64_t lag, std::int64_t iterations);

  std::string description() const override;
  std::int64_t members() const override { return members_; }
  Analysis cycle(const Matrix& members, double time, std::span<const Observations> observations,
                 const Forecast& forecast, std::int64_t number) override;
  void save(io::Checkpoint& checkpoint) const override;
  void load(const io::Checkpoint& checkpoint) override;

 private:
  std::int64_t members_, lag_, iterations_;
  InflationOptions inflation_;
  EnsembleTransform transform_;
  Matrix start_;               // members at the start of the window
  std::vector<double> times_;  // of the window's observations, its start first
};

}  // namespace locum::assimilation
