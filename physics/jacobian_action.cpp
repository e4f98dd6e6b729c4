#include "jacobian_action.hpp"

namespace locum::physics {

/// J v out of two products with Jᵀ: w ↦ Jᵀw is linear, and its transpose is J. (libtorch 1.13 has no forward mode for
/// all that equations are written in.)
/// @param at, along  what the residual depends on, and the direction
static Tensor action(const std::vector<Tensor>& at, const Tensor& residual, const std::vector<Tensor>& along)
{
  const Tensor weights = torch::zeros_like(residual).requires_grad_(true);
  const auto products = torch::autograd::grad({residual}, at, {weights}, /*retain_graph=*/true, /*create_graph=*/true,
                                              /*allow_unused=*/true);
  std::vector<Tensor> used, directions;
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (!products[i].defined() || !products[i].requires_grad()) continue;
    used.push_back(products[i]);
    directions.push_back(along[i]);
  }
  if (used.empty()) return torch::zeros_like(residual);
  return torch::autograd::grad(used, {weights}, directions)[0].detach();
}

Tensor jacobian_action(const SteadyEquation& equation, const Sample& problem, const Sample& solution,
                       const Sample& direction)
{
  Sample point = solution;
  std::vector<Tensor> at, along;
  for (auto& [name, field] : point.fields) {
    const auto own = direction.fields.find(name);
    field.values = field.values.detach().to(torch::kFloat64).clone().requires_grad_(true);
    at.push_back(field.values);
    along.push_back(own == direction.fields.end() ? torch::zeros_like(field.values).detach()
                                                  : own->second.values.to(torch::kFloat64));
  }
  return action(at, equation.residual(problem, point), along);
}

Tensor jacobian_action(const EvolvingEquation& equation, const Tensor& state, const Tensor& direction, const Grid& grid)
{
  const Tensor point = state.detach().clone().requires_grad_(true);
  return action({point}, equation.tendency(point, grid), {direction});
}

}  // namespace locum::physics
