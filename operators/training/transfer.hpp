#pragma once
#include "../surrogate.hpp"

namespace locum::operators {

/// Begins a training with what another surrogate has learnt: its weights, by name. Where the new surrogate reads more
/// channels than the old one, the weights of the new ones are 0, so that it predicts at first what the old one does.
/// Normalisers are taken where both have the same channels; else training fits new ones.
/// @throws OptionError  naming the first weight that does not fit
void begin_with(Surrogate& surrogate, Surrogate& learnt);

}  // namespace locum::operators
