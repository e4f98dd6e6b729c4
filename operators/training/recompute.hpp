#pragma once
#include "../operator.hpp"

namespace locum::operators {

/// Evaluates a model without keeping what its backward pass needs: that is computed again there, from the input. In a
/// roll-out of n steps what is kept is so that of one step, for a third more time. (Chen et al. 2016, "Training deep
/// nets with sublinear memory cost".) Without gradients it is forward().
/// @param model  must outlive the backward pass, and not be changed before it
/// @param input, return  as forward() has them
/// @param mixed          whether both times with MixedPrecision
/// Limits: no second derivatives.
torch::Tensor forward_and_recompute(Operator& model, const torch::Tensor& input, bool mixed);

}  // namespace locum::operators
