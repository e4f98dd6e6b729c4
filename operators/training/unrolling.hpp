#pragma once
#include <vector>

#include "../surrogate.hpp"

namespace locum::operators {

/// How several steps of a surrogate follow from one another in training: which channels of the data are the truth of
/// each, and what the surrogate reads next.
class Unrolling {
 public:
  /// @param targets  what the data hold of the fields predicted, "u@+1", "u@+2", …: `steps` times as far as the outputs
  /// @throws OptionError  if the surrogate's predictions are not the fields it reads, or `targets` has not so many
  /// steps
  Unrolling(const Surrogate& surrogate, const std::vector<Channel>& targets, std::int64_t steps);

  std::int64_t steps() const noexcept { return static_cast<std::int64_t>(truths_.size()); }
  /// What the surrogate should predict in step k = 0, 1, …
  /// @param targets  [batch, channel, (z, y,) x], channels as given to the constructor
  Tensor truth(const Tensor& targets, std::int64_t k) const;
  /// What the surrogate reads after it has predicted. In units; differentiable.
  /// @param inputs, prediction  [batch, channel, (z, y,) x]
  Tensor next_inputs(const Tensor& inputs, const Tensor& prediction) const;

 private:
  std::vector<Tensor> truths_;  // of each step: channels of the targets, int64
  Tensor next_;                 // channels of inputs and prediction side by side, int64; undefined with a single step
};

}  // namespace locum::operators
