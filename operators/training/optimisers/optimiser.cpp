#include "optimiser.hpp"

#include "adam.hpp"
#include "gradient_descent.hpp"
#include "lbfgs.hpp"

namespace locum::operators {

std::unique_ptr<Optimiser> make_optimiser(const OptimiserOptions& options, Parameters& parameters)
{
  switch (options.optimiser) {
    case OptimiserKind::adam:
      return std::make_unique<Adam>(parameters, Adam::WeightDecay::coupled, options.weight_decay);
    case OptimiserKind::adamw:
      return std::make_unique<Adam>(parameters, Adam::WeightDecay::decoupled, options.weight_decay);
    case OptimiserKind::sgd:
      return std::make_unique<GradientDescent>(parameters, options.momentum, options.weight_decay);
    case OptimiserKind::lbfgs:
      break;
  }
  return std::make_unique<Lbfgs>(parameters);
}

}  // namespace locum::operators
