#include "padding.hpp"

#include "kernel.hpp"
#include "kernels/padding.hpp"

namespace locum::operators {

namespace {

class OnGrid : public torch::autograd::Function<OnGrid> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& values,
                        const std::vector<std::int64_t>& grid, const c10::intrusive_ptr<Workspace>& workspace)
  {
    const Tensor from = values.contiguous();
    const auto from_grid = from.sizes().slice(1, grid.size()).vec();
    context->saved_data["grid"] = from_grid;
    context->saved_data["workspace"] = c10::IValue::make_capsule(workspace);
    auto shape = from.sizes().vec();
    std::copy(grid.begin(), grid.end(), shape.begin() + 1);
    const Tensor to = workspace->take(shape, from.options());
    with_type_of(from, [&]<class T>(T) {
      kernels::copy_to_grid<T>(at::get_num_threads(), from.size(0), from.size(-1), from_grid, from.data_ptr<T>(), grid,
                               to.data_ptr<T>());
    });
    return to;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list d_result)
  {
    const auto workspace = c10::static_intrusive_pointer_cast<Workspace>(context->saved_data["workspace"].toCapsule());
    return {on_grid(d_result[0], context->saved_data["grid"].toIntVector(), workspace), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor on_grid(const Tensor& values, const std::vector<std::int64_t>& grid,
               const c10::intrusive_ptr<Workspace>& workspace)
{
  if (values.sizes().slice(1, grid.size()) == torch::IntArrayRef(grid)) return values;
  if (kernels_take(values)) return OnGrid::apply(values, grid, workspace);
  std::vector<std::int64_t> amounts = {0, 0};  // channel, x, …: last axis first, as libtorch expects
  for (std::size_t axis = grid.size(); axis > 0; --axis)
    amounts.insert(amounts.end(), {0, grid[axis - 1] - values.size(static_cast<std::int64_t>(axis))});
  return torch::constant_pad_nd(values, amounts);
}

}  // namespace locum::operators
