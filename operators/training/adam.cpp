#include "adam.hpp"

#include <cmath>

namespace locum::operators {

static constexpr double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // as everybody uses them

Adam::Adam(std::vector<torch::Tensor> parameters, WeightDecay kind, double weight_decay)
    : parameters_(std::move(parameters)), kind_(kind), weight_decay_(weight_decay)
{
  for (const auto& parameter : parameters_) {
    state_.first_moment.push_back(torch::zeros_like(parameter));
    state_.second_moment.push_back(torch::zeros_like(parameter));
  }
}

void Adam::step(double rate)
{
  torch::NoGradGuard no_gradients;
  const auto t = static_cast<double>(++state_.steps);
  const double step_size = rate / (1 - std::pow(beta1, t));
  const double root_correction = 1 / std::sqrt(1 - std::pow(beta2, t));

  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    auto& parameter = parameters_[i];
    if (!parameter.grad().defined()) continue;
    auto gradient = parameter.grad();
    if (weight_decay_ != 0 && kind_ == WeightDecay::coupled) gradient = gradient.add(parameter, weight_decay_);
    if (weight_decay_ != 0 && kind_ == WeightDecay::decoupled) parameter.mul_(1 - rate * weight_decay_);

    auto& m = state_.first_moment[i];
    auto& v = state_.second_moment[i];
    m.lerp_(gradient, 1 - beta1);
    v.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
    parameter.addcdiv_(m, v.sqrt().mul_(root_correction).add_(epsilon), -step_size);
  }
}

void Adam::zero_gradients()
{
  for (auto& parameter : parameters_) parameter.mutable_grad() = torch::Tensor();
}

}  // namespace locum::operators
