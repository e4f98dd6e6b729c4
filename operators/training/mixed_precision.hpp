#pragma once
#include <torch/torch.h>

namespace locum::operators {

/// While it lives, libtorch computes products of matrices on `device` in bfloat16, in this thread (its autocast); what
/// enters and leaves them, and the weights, keep their types. Our own kernels and Fourier transforms do not change.
class MixedPrecision {
 public:
  /// @param wanted  false: nothing happens
  MixedPrecision(torch::Device device, bool wanted);
  ~MixedPrecision();
  MixedPrecision(const MixedPrecision&) = delete;
  MixedPrecision& operator=(const MixedPrecision&) = delete;

 private:
  torch::Device device_;
  bool wanted_;
};

}  // namespace locum::operators
