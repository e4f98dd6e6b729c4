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

  /// Uses the lowest frequencies alone, that part of those it has along each axis, but one at least. All weights stay
  /// parameters; what others have to do is not computed.
  /// @param part   above 0, up to 1: all
  /// @param clear  whether the weights of the others become 0: then it is the same function with all of them
  /// @throws OptionError  if it has no frequencies to choose from
  virtual void keep_modes(double part, bool clear);
};

}  // namespace locum::operators
