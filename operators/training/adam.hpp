#pragma once
#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace locum::operators {

/// Adam (Kingma & Ba 2015) with weight decay as part of the gradient, or decoupled from it (AdamW; Loshchilov & Hutter
/// 2019). Its whole state is in the open, so that a checkpoint can store it and a restarted run goes on bit for bit.
class Adam {
 public:
  enum class WeightDecay { coupled, decoupled };

  /// @param parameters  float tensors with gradients; shared, not copied
  Adam(std::vector<torch::Tensor> parameters, WeightDecay kind, double weight_decay);

  /// Moves the parameters against their gradients; parameters without a gradient stay.
  void step(double rate);
  void zero_gradients();

  struct State {
    std::int64_t steps = 0;
    std::vector<torch::Tensor> first_moment;   ///< One a parameter, of its shape.
    std::vector<torch::Tensor> second_moment;  ///< One a parameter, of its shape.
  };
  State& state() noexcept { return state_; }

 private:
  std::vector<torch::Tensor> parameters_;
  WeightDecay kind_;
  double weight_decay_;
  State state_;
};

}  // namespace locum::operators
