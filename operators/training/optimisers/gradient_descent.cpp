#include "gradient_descent.hpp"

namespace locum::operators {

GradientDescent::GradientDescent(Parameters& parameters, double momentum, double weight_decay)
    : Optimiser(parameters), momentum_(momentum), weight_decay_(weight_decay)
{
  state["velocity"] = torch::zeros_like(parameters.values);
}

void GradientDescent::step(double rate, const Evaluate& evaluate)
{
  evaluate();
  torch::NoGradGuard no_gradients;
  ++steps;
  for (const auto& group : parameters_.groups()) {
    const auto of_group = [&](const Tensor& all) { return all.narrow(0, group.begin, group.end - group.begin); };
    const Tensor values = of_group(parameters_.values), velocity = of_group(state["velocity"]);
    const Tensor g = of_group(parameters_.gradients).add(values, group.decays ? weight_decay_ : 0);
    velocity.mul_(momentum_).add_(g);
    values.add_(g.add(velocity, momentum_), -group.rate * rate);
  }
}

}  // namespace locum::operators
