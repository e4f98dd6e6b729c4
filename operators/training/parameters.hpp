#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "../operator.hpp"

namespace locum::operators {

using torch::Tensor;

/// Which parameters are trained, and how fast.
struct ParameterOptions {
  std::vector<std::string> freeze;
  std::vector<std::string> slow;
  double slow_factor = 0.1;
  bool decay_biases = true;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("freeze", freeze, "parameters that are not trained, by the beginnings of their names: [\"lifting\"]");
    option("slow", slow, "parameters that are trained at slow_factor times the rate, by the beginnings of their names");
    option("slow_factor", slow_factor, "of the learning rate, for those of slow");
    option("decay_biases", decay_biases, "whether weight decay is for parameters of one axis, too: biases and scales");
  }
};

/// The trained parameters of a model side by side in one vector, and their gradients in another: what optimisers,
/// averages, norms and messages between ranks work on. The model's own tensors are views of the first.
class Parameters {
 public:
  /// Parameters begin at multiples of so many numbers in the vector: a cache line of float32.
  static constexpr std::int64_t line = 16;
  /// Some numbers of the vector in a row.
  struct Range {
    std::int64_t begin = 0, end = 0;
  };
  /// A part of the vector, whose parameters are treated alike.
  struct Group {
    std::int64_t begin = 0, end = 0;
    double rate = 1;     ///< Factor of the learning rate.
    bool decays = true;  ///< Whether weight decay is for it.
  };

  /// @param model  must be on its device already, and outlive this object
  /// @throws OptionError  naming a beginning that no parameter has, or if nothing is left to train
  explicit Parameters(torch::nn::Module& model, const ParameterOptions& options = {});

  Tensor values;     ///< [number]: between parameters there may be zeros, to begin each on a cache line.
  Tensor gradients;  ///< [number]: what was collected last.

  /// Before backward passes: the tensors have no gradients. (Views of `gradients` would cost a pass over memory to
  /// clear them, and two to add to them.)
  void forget_gradients();
  /// After them: copies the gradient of tensor number i into `gradients`; 0 if it has none.
  void collect_gradient(std::int64_t i);

  /// What is trained, in parts: all, or what step_only() said.
  const std::vector<Group>& groups() const noexcept { return groups_; }
  /// Leaves only these ranges to be stepped: the others are other ranks' to step.
  void step_only(const std::vector<Range>& ranges);

  /// How many tensors there are, in the model's order.
  std::int64_t count() const noexcept { return static_cast<std::int64_t>(places_.size()); }
  /// The tensors themselves.
  const Tensor& parameter(std::int64_t i) const { return places_[static_cast<std::size_t>(i)].parameter; }
  /// Where tensor number i begins in the vectors.
  std::int64_t offset(std::int64_t i) const { return places_[static_cast<std::size_t>(i)].offset; }
  /// The part of a vector like `values` that belongs to tensor number i, in its shape. A view.
  Tensor part(const Tensor& vector, std::int64_t i) const;

 private:
  struct Place {
    Tensor parameter;
    std::int64_t offset = 0;
  };
  std::vector<Place> places_;
  std::vector<Group> groups_;
};

}  // namespace locum::operators
