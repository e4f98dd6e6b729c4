#include "adam.hpp"

#include <cmath>

#include "../../kernel.hpp"
#include "../../kernels/adam.hpp"

namespace locum::operators {

static constexpr double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // as everybody uses them

Adam::Adam(Parameters& parameters, WeightDecay kind, double weight_decay)
    : Optimiser(parameters), kind_(kind), weight_decay_(weight_decay)
{
  for (const char* name : {"first_moment", "second_moment"}) state[name] = torch::zeros_like(parameters.values);
}

void Adam::step(double rate, const Evaluate& evaluate)
{
  evaluate();
  torch::NoGradGuard no_gradients;
  const auto t = static_cast<double>(++steps);
  for (const auto& group : parameters_.groups()) {
    const bool decoupled = kind_ == WeightDecay::decoupled;
    const double decay = group.decays ? weight_decay_ : 0, group_rate = group.rate * rate;
    const kernels::AdamStep step = {.beta1 = beta1,
                                    .beta2 = beta2,
                                    .epsilon = epsilon,
                                    .step_size = group_rate / (1 - std::pow(beta1, t)),
                                    .root_correction = 1 / std::sqrt(1 - std::pow(beta2, t)),
                                    .shrink = decoupled ? 1 - group_rate * decay : 1,
                                    .coupled_decay = decoupled ? 0 : decay};
    const auto of_group = [&](const Tensor& all) { return all.narrow(0, group.begin, group.end - group.begin); };
    const Tensor values = of_group(parameters_.values), gradients = of_group(parameters_.gradients);
    const Tensor m = of_group(state["first_moment"]), v = of_group(state["second_moment"]);
    if (kernels_take(values)) {
      with_type_of(values, [&]<class T>(T) {
        kernels::adam_step<T>(
            kernels::instructions<T>(), at::get_num_threads(), step,
            {{values.numel(), gradients.data_ptr<T>(), values.data_ptr<T>(), m.data_ptr<T>(), v.data_ptr<T>()}});
      });
      continue;
    }
    const Tensor g = step.coupled_decay != 0 ? gradients.add(values, step.coupled_decay) : gradients;
    m.lerp_(g, 1 - beta1);
    v.mul_(beta2).addcmul_(g, g, 1 - beta2);
    values.mul_(step.shrink).addcdiv_(m, v.sqrt().mul_(step.root_correction).add_(epsilon), -step.step_size);
  }
}

}  // namespace locum::operators
