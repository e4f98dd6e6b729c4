#pragma once
#include <torch/torch.h>

namespace locum::operators {

/// A learned map between functions: what every model in the table is.
class Operator : public torch::nn::Module {
 public:
  /// Evaluates the operator. Not collective.
  /// @param input  [batch, channel, (z, y,) x], normalised.
  /// @return       [batch, channel, (z, y,) x] on the same grid, normalised.
  /// @throws ShapeError  if the model cannot take this shape.
  virtual torch::Tensor forward(const torch::Tensor& input) = 0;
};

}  // namespace locum::operators
