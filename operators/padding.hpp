#pragma once
#include <torch/torch.h>

#include "workspace.hpp"

namespace locum::operators {

/// `values` on a grid of other size: behind each axis zeros are added, or what is too much is left out. Differentiable,
/// again and again; it is its own transpose.
///
/// On the CPU in one pass, where libtorch's constant_pad_nd() takes two, into memory that is used again.
/// @param values  [batch, (z, y,) x, channel]
/// @param grid    the new (z, y,) x
Tensor on_grid(const Tensor& values, const std::vector<std::int64_t>& grid,
               const c10::intrusive_ptr<Workspace>& workspace);

}  // namespace locum::operators
