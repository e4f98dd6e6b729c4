#pragma once
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "../parameters.hpp"

namespace locum::operators {

enum class OptimiserKind { adam, adamw, sgd, lbfgs };
constexpr auto option_names(OptimiserKind)
{
  return std::array{std::pair{OptimiserKind::adam, "adam"}, std::pair{OptimiserKind::adamw, "adamw"},
                    std::pair{OptimiserKind::sgd, "sgd"}, std::pair{OptimiserKind::lbfgs, "lbfgs"}};
}

struct OptimiserOptions {
  OptimiserKind optimiser = OptimiserKind::adamw;
  double weight_decay = 1e-4;
  double momentum = 0.9;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("optimiser", optimiser, "adam, adamw, sgd, or lbfgs (batch = all samples)");
    option("weight_decay", weight_decay, "adamw: decoupled; adam, sgd: part of the gradient; lbfgs: none");
    option("momentum", momentum, "sgd: Nesterov's");
  }
};

/// Moves parameters downhill. Its whole state is in the open, so that a checkpoint can store it and a restarted run
/// goes on bit for bit.
class Optimiser {
 public:
  /// Computes gradients at the values that the parameters have now, and returns the loss: a float64 number.
  using Evaluate = std::function<Tensor()>;

  virtual ~Optimiser() = default;

  /// One step from the parameters' values of now. Evaluates there, and perhaps (lbfgs) elsewhere on its way.
  /// @param rate  learning rate
  virtual void step(double rate, const Evaluate& evaluate) = 0;

  /// Steps taken.
  std::int64_t steps = 0;
  /// Vectors like Parameters::values, by name: they share memory with the optimiser.
  std::map<std::string, Tensor> state;

 protected:
  explicit Optimiser(Parameters& parameters) : parameters_(parameters) {}
  Parameters& parameters_;
};

/// @param parameters  must outlive the optimiser
std::unique_ptr<Optimiser> make_optimiser(const OptimiserOptions& options, Parameters& parameters);

}  // namespace locum::operators
