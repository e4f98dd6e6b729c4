#pragma once
#include "optimiser.hpp"

namespace locum::operators {

/// Limited-memory BFGS with a line search for the strong Wolfe conditions (Nocedal & Wright, Numerical Optimization,
/// 2nd ed., algorithms 7.4, 7.5 and 3.5). For losses without noise: a batch of all samples, float64.
///
/// The learning rate is the length tried first (1 is natural); the first step of all is shortened to one of length 1.
/// Where no point along the direction is lower, it forgets what it knows of the curvature, and the next step is
/// downhill. Its state: step_k, change_k, the latest pairs of steps and changes of the gradient, k = 0 the oldest;
/// zero: none yet.
class Lbfgs : public Optimiser {
 public:
  explicit Lbfgs(Parameters& parameters);
  void step(double rate, const Evaluate& evaluate) override;

 private:
  Tensor direction(const Tensor& gradients) const;
  void remember(const Tensor& step, const Tensor& change);
  void forget();
};

}  // namespace locum::operators
