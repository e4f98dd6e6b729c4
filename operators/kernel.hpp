#pragma once
#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace locum::operators {

using torch::Tensor;

/// What evaluates an operator.
enum class Kernel {
  automatic,  ///< Our own kernels (`kernels/`) where they apply, else libtorch's operations.
  fused,      ///< Our own kernels, or an error that says why not.
  reference,  ///< libtorch's operations: any device; what the kernels are tested against.
};

constexpr auto option_names(Kernel)
{
  return std::array{std::pair{Kernel::automatic, "auto"}, std::pair{Kernel::fused, "fused"},
                    std::pair{Kernel::reference, "reference"}};
}

/// Whether our kernels take this tensor: float32 or float64, on the CPU.
inline bool kernels_take(const Tensor& values)
{
  const auto type = values.scalar_type();
  return values.device().is_cpu() && (type == torch::kFloat32 || type == torch::kFloat64);
}

/// Points of each axis of [batch, (z, y,) x, channel], slowest first.
inline std::vector<std::int64_t> grid_of(const Tensor& values)
{
  return values.sizes().slice(1, static_cast<std::size_t>(values.dim() - 2)).vec();
}

/// Calls body(T()) with the number type of such a tensor, float or double.
template <class Body>
void with_type_of(const Tensor& values, Body&& body)
{
  if (values.scalar_type() == torch::kFloat64) body(double());
  else body(float());
}

/// Whether backward() may be called on what is computed from these.
inline bool will_differentiate(const torch::autograd::variable_list& inputs)
{
  return torch::GradMode::is_enabled() &&
         std::any_of(inputs.begin(), inputs.end(), [](const Tensor& t) { return t.requires_grad(); });
}

/// Gradients of a kernel that can be differentiated again: those of `reference`, which computes the same from the same
/// inputs by libtorch's operations. For the backward() of a torch::autograd::Function, when a graph is asked for.
/// @return  one for each input, undefined for those that need none
template <class Reference>
torch::autograd::variable_list differentiate(const torch::autograd::variable_list& inputs,
                                             const torch::Tensor& d_output, Reference&& reference)
{
  torch::autograd::variable_list wanted;
  for (const auto& input : inputs)
    if (input.defined() && input.requires_grad()) wanted.push_back(input);
  const auto found = torch::autograd::grad({reference(inputs)}, wanted, {d_output}, /*retain_graph=*/true,
                                           /*create_graph=*/true, /*allow_unused=*/true);
  torch::autograd::variable_list all;
  for (std::size_t i = 0, next = 0; i < inputs.size(); ++i)
    all.push_back(inputs[i].defined() && inputs[i].requires_grad() ? found[next++] : torch::Tensor());
  return all;
}

}  // namespace locum::operators
