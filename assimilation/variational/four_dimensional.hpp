#pragma once
#include "../method.hpp"

namespace locum::assimilation {

/// Strong-constraint 4D-Var: the state at the start of a window of observation times whose trajectory fits all of them
/// and the background,
///     J(w) = ½ |w|² + ½ Σ_t |R^{−1/2} (y_t − H x_t)|²,   x_0 = background + w B^{1/2},
/// by L-BFGS, with gradients through the model: any EvolvingSolver whose advance() can be differentiated. B^{1/2} are
/// anomalies of states of the climate.
///
/// Source: Talagrand & Courtier, Q. J. R. Meteorol. Soc. 113 (1987); Lorenc, ibid. 112 (1986).
class FourDimensional : public Method {
 public:
  /// @param background  anomalies whose covariance is that of the background, as an ensemble's; [state, variable]
  /// @param window      observation times
  /// @param iterations  of the minimisation at most
  FourDimensional(Matrix background, std::int64_t window, std::int64_t iterations);

  std::string description() const override;
  std::int64_t members() const override { return 1; }
  std::int64_t window() const override { return window_; }
  /// @throws SolverError  if the model cannot be differentiated, or no state with a finite J is found
  Analysis cycle(const Matrix& members, double time, std::span<const Observations> observations,
                 const Forecast& forecast, std::int64_t number) override;

  /// J and its gradient at control vector w, [state of `background`]. For tests.
  std::pair<double, RowVector> cost(const RowVector& w, const RowVector& start, double time,
                                    std::span<const Observations> observations, const Forecast& forecast) const;

 private:
  RowVector trajectory_end(const RowVector& start, double time, std::span<const Observations> observations,
                           const Forecast& forecast, std::int64_t number) const;

  Matrix root_;  // B^{1/2}, [control, variable]
  std::int64_t window_, iterations_;
};

}  // namespace locum::assimilation
