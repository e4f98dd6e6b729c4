#pragma once
#include <locum/core/solver.hpp>
#include <locum/physics/ordinary/ordinary_equation.hpp>

namespace locum::solvers {

struct RungeKuttaOptions {
  double step = 0.01;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("step", step, "longest time step");
  }
};

/// Advances any OrdinaryEquation by the classical Runge–Kutta method of order 4, in float64; the members of an ensemble
/// are shared by the threads. Where gradients are asked for, or the state is not on the CPU, the same steps are done in
/// libtorch's operations, and can be differentiated.
class RungeKuttaSolver : public EvolvingSolver {
 public:
  /// @param equation  must outlive this object
  /// @throws OptionError  if the step is not positive
  RungeKuttaSolver(const physics::OrdinaryEquation& equation, RungeKuttaOptions options);

  std::string description() const override;

  /// The duration is divided into equal steps, none longer than the option's.
  Sample advance(const Sample& state, double duration) override;

 private:
  const physics::OrdinaryEquation& equation_;
  RungeKuttaOptions options_;
};

}  // namespace locum::solvers
