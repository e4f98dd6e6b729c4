#pragma once
#include "optimiser.hpp"

namespace locum::operators {

/// Adam (Kingma & Ba 2015) with weight decay as part of the gradient, or decoupled from it (AdamW; Loshchilov & Hutter
/// 2019). Its state: first_moment, second_moment.
class Adam : public Optimiser {
 public:
  enum class WeightDecay { coupled, decoupled };

  Adam(Parameters& parameters, WeightDecay kind, double weight_decay);
  void step(double rate, const Evaluate& evaluate) override;

 private:
  WeightDecay kind_;
  double weight_decay_;
};

}  // namespace locum::operators
