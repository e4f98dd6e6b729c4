#pragma once
#include "optimiser.hpp"

namespace locum::operators {

/// Gradient descent with Nesterov's momentum (Sutskever et al., ICML 2013), v ← μ v + g, θ ← θ − rate (g + μ v); weight
/// decay is part of the gradient. Its state: velocity.
class GradientDescent : public Optimiser {
 public:
  GradientDescent(Parameters& parameters, double momentum, double weight_decay);
  void step(double rate, const Evaluate& evaluate) override;

 private:
  double momentum_, weight_decay_;
};

}  // namespace locum::operators
