#include "recompute.hpp"

#include "mixed_precision.hpp"

namespace locum::operators {

using torch::Tensor;

namespace {

struct ModelCapsule : torch::CustomClassHolder {
  ModelCapsule(Operator& model, bool mixed) : model(model), mixed(mixed) {}
  Tensor forward(const Tensor& input) const
  {
    const MixedPrecision precision(input.device(), mixed);
    return model.forward(input);
  }
  Operator& model;
  bool mixed;
};

/// Arguments: the input, then all parameters, as they are what gradients go to.
class Recomputed : public torch::autograd::Function<Recomputed> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, at::TensorList arguments,
                        const c10::intrusive_ptr<ModelCapsule>& capsule)
  {
    context->save_for_backward({arguments[0]});
    context->saved_data["model"] = c10::IValue::make_capsule(capsule);
    const torch::NoGradGuard no_gradients;
    return capsule->forward(arguments[0]);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list d_output)
  {
    const auto capsule = c10::static_intrusive_pointer_cast<ModelCapsule>(context->saved_data["model"].toCapsule());
    const torch::AutoGradMode with_gradients(true);
    const Tensor input = context->get_saved_variables()[0].detach().requires_grad_();
    std::vector<Tensor> leaves = {input};
    std::vector<std::size_t> places = {0};
    const auto parameters = capsule->model.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (!parameters[i].requires_grad()) continue;
      leaves.push_back(parameters[i]);
      places.push_back(i + 1);
    }
    const auto found = torch::autograd::grad({capsule->forward(input)}, leaves, d_output,
                                             /*retain_graph=*/false, /*create_graph=*/false, /*allow_unused=*/true);
    torch::autograd::variable_list gradients(parameters.size() + 2);
    for (std::size_t i = 0; i < places.size(); ++i) gradients[places[i]] = found[i];
    return gradients;
  }
};

}  // namespace

Tensor forward_and_recompute(Operator& model, const Tensor& input, bool mixed)
{
  const auto capsule = c10::make_intrusive<ModelCapsule>(model, mixed);
  if (!torch::GradMode::is_enabled()) return capsule->forward(input);
  std::vector<Tensor> arguments = {input};
  for (const Tensor& parameter : model.parameters()) arguments.push_back(parameter);
  return Recomputed::apply(at::TensorList(arguments), capsule);
}

}  // namespace locum::operators
