#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../normaliser.hpp"
#include "loss.hpp"
#include "optimisers/optimiser.hpp"
#include "parameters.hpp"
#include "schedule.hpp"

namespace locum::operators {

enum class Device { automatic, cpu, cuda };
constexpr auto option_names(Device)
{
  return std::array{std::pair{Device::automatic, "auto"}, std::pair{Device::cpu, "cpu"},
                    std::pair{Device::cuda, "cuda"}};
}

/// The device an option means: CUDA if it is there, for `automatic`.
/// @throws OptionError  if CUDA is asked for and not there.
torch::Device find_device(Device device);

enum class Precision { float32, float64, bfloat16 };
constexpr auto option_names(Precision)
{
  return std::array{std::pair{Precision::float32, "float32"}, std::pair{Precision::float64, "float64"},
                    std::pair{Precision::bfloat16, "bfloat16"}};
}

/// What the network's outputs are.
enum class Predict { value, change };
constexpr auto option_names(Predict)
{
  return std::array{std::pair{Predict::value, "value"}, std::pair{Predict::change, "change"}};
}

/// Through which steps of a roll-out gradients go.
enum class RolloutGradient { all, last };
constexpr auto option_names(RolloutGradient)
{
  return std::array{std::pair{RolloutGradient::all, "all"}, std::pair{RolloutGradient::last, "last"}};
}

/// Training on what the surrogate makes of its own predictions.
struct RolloutOptions {
  std::int64_t steps = 1;
  std::int64_t growth = 0;
  RolloutGradient gradient = RolloutGradient::all;
  double noise = 0;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("rollout", steps, "steps predicted one from another in training, the loss of all is their mean");
    option("rollout_growth", growth,
           "epochs until there are so many: one more after each such part; 0: from the start");
    option("rollout_gradient", gradient, "all: through all steps; last: only through the last one (push-forward)");
    option("noise", noise, "deviation of noise added to normalised inputs in training");
  }
};

/// A training that begins with less than all there is.
struct CurriculumOptions {
  double modes_from = 1;
  std::int64_t coarse_from = 1;
  std::int64_t growth = 0;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("modes_from", modes_from, "part of the Fourier modes to begin with; 1: all");
    option("coarse_from", coarse_from, "begin with each n-th point along each axis, then twice as many …; 1: all");
    option("growth", growth, "epochs until there are all modes and points");
  }

  /// The part of the modes that is used in an epoch.
  double modes_in(std::int64_t epoch) const;
  /// Of the points, each so many-th is used in an epoch.
  std::int64_t coarseness_in(std::int64_t epoch) const;
};

struct TrainingOptions {
  std::int64_t epochs = 100;
  std::int64_t batch = 20;
  std::int64_t accumulate = 1;
  bool recompute = false;
  std::int64_t seed = 0;
  std::int64_t members = 1;
  std::string start_from;
  Predict predict = Predict::value;
  LossOptions loss;
  RolloutOptions rollout;
  CurriculumOptions curriculum;
  OptimiserOptions optimiser;
  ScheduleOptions schedule;
  double clip = 0;
  double average = 0;
  std::int64_t patience = 0;
  ParameterOptions parameters;
  Normalisation input_normaliser = Normalisation::unit_gaussian;
  Normalisation output_normaliser = Normalisation::unit_gaussian;
  NormaliseOver normalise_over = NormaliseOver::channel;
  Precision precision = Precision::float32;
  Device device = Device::automatic;
  std::int64_t checkpoint_steps = 0;
  double checkpoint_minutes = 10;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("epochs", epochs, "passes over the training samples");
    option("batch", batch, "samples a step, of all ranks together");
    option("accumulate", accumulate, "parts a batch is computed in, one after the other: less memory, the same step");
    option("recompute", recompute, "compute activations again in the backward pass: less memory in roll-outs");
    option("seed", seed, "of the initial weights and the order of samples");
    option("members", members, "surrogates to train from seed, seed + 1 …; they predict their mean and deviation");
    option("start_from", start_from, "checkpoint or run folder whose weights to begin with; \"\": random ones");
    option("predict", predict, "value: fields after now; change: their change from now (horizon 1)");
    loss.visit(option);
    rollout.visit(option);
    curriculum.visit(option);
    optimiser.visit(option);
    schedule.visit(option);
    option("clip", clip, "largest norm of the gradient; 0: any");
    option("average", average, "decay a step of a running mean of the weights, which is what is kept; 0: none");
    option("patience", patience, "epochs without a better validation after which training ends; 0: never");
    parameters.visit(option);
    option("input_normaliser", input_normaliser, "none, unit_gaussian or min_max");
    option("output_normaliser", output_normaliser, "none, unit_gaussian or min_max");
    option("normalise_over", normalise_over, "one statistic a channel, or a point of the grid");
    option("precision", precision, "float32, float64, or bfloat16 for products by libtorch (docs/training.md)");
    option("device", device, "auto, cpu or cuda");
    option("checkpoint_steps", checkpoint_steps,
           "steps from one checkpoint within an epoch to the next; 0: see minutes");
    option("checkpoint_minutes", checkpoint_minutes, "the same in minutes; 0: only after epochs");
  }
};

}  // namespace locum::operators
