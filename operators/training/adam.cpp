#include "adam.hpp"

#include <cmath>

#include "../kernel.hpp"
#include "../kernels/adam.hpp"

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
  const bool decoupled = kind_ == WeightDecay::decoupled;
  const kernels::AdamStep step = {.beta1 = beta1,
                                  .beta2 = beta2,
                                  .epsilon = epsilon,
                                  .step_size = rate / (1 - std::pow(beta1, t)),
                                  .root_correction = 1 / std::sqrt(1 - std::pow(beta2, t)),
                                  .shrink = decoupled ? 1 - rate * weight_decay_ : 1,
                                  .coupled_decay = decoupled ? 0 : weight_decay_};
  std::vector<torch::Tensor> gradients;  // alive as long as they are pointed to
  std::vector<kernels::AdamArrays<float>> in_float;
  std::vector<kernels::AdamArrays<double>> in_double;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    auto& parameter = parameters_[i];
    if (!parameter.grad().defined()) continue;
    const auto gradient = parameter.grad().contiguous();
    auto &m = state_.first_moment[i], &v = state_.second_moment[i];
    if (kernels_take(parameter) && parameter.is_contiguous()) {
      const auto arrays = [&]<class T>(T) -> kernels::AdamArrays<T> {
        gradients.push_back(gradient);
        return {gradient.numel(), gradient.data_ptr<T>(), parameter.data_ptr<T>(), m.data_ptr<T>(), v.data_ptr<T>()};
      };
      if (parameter.scalar_type() == torch::kFloat64) in_double.push_back(arrays(double()));
      else in_float.push_back(arrays(float()));
      continue;
    }
    auto g = step.coupled_decay != 0 ? gradient.add(parameter, step.coupled_decay) : gradient;
    m.lerp_(g, 1 - beta1);
    v.mul_(beta2).addcmul_(g, g, 1 - beta2);
    parameter.mul_(step.shrink).addcdiv_(m, v.sqrt().mul_(step.root_correction).add_(epsilon), -step.step_size);
  }
  kernels::adam_step(kernels::instructions<float>(), at::get_num_threads(), step, in_float);
  kernels::adam_step(kernels::instructions<double>(), at::get_num_threads(), step, in_double);
}

void Adam::zero_gradients()
{
  for (auto& parameter : parameters_) parameter.mutable_grad() = torch::Tensor();
}

}  // namespace locum::operators
