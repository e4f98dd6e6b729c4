#pragma once
#include <torch/torch.h>

#include <array>
#include <vector>

namespace locum::io {

/// A line along a velocity, by columns and rows of its grid.
using Streamline = std::vector<std::array<double, 2>>;

/// Lines along a velocity that fill a picture evenly: none comes closer to another than a thirtieth of the picture's
/// longer side. They end at the edge, at NaN, and where the fluid is nearly at rest.
/// @param velocity  [component (x, y), y, x], in the grid's columns and rows per unit of time
/// Source: Jobard & Lefer, Visualization in Scientific Computing (1997), with places counted by squares.
std::vector<Streamline> streamlines(const torch::Tensor& velocity);

}  // namespace locum::io
