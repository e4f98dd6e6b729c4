#pragma once
#include <torch/torch.h>

#include <cstdint>
#include <memory>

namespace locum::operators {

using torch::Tensor;

/// Memory that a module uses again in every step, in huge pages: large blocks that malloc has to map anew cost a step
/// up to a twentieth of its time.
///
/// A block returns when the last tensor on it is gone, whichever of them and this that is. Blocks that were not wanted
/// for a while are freed. Threads may share it.
class Workspace : public torch::CustomClassHolder {
 public:
  Workspace();

  /// A tensor on the CPU with arbitrary numbers in it.
  Tensor take(torch::IntArrayRef shape, const torch::TensorOptions& options);
  Tensor take(const Tensor& like) { return take(like.sizes(), like.options()); }

 private:
  struct Blocks;
  std::shared_ptr<Blocks> blocks_;
};

}  // namespace locum::operators
