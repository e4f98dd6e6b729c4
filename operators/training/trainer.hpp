#pragma once
#include <locum/core/log.hpp>
#include <locum/io/batches/batches.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

#include "../surrogate.hpp"
#include "adam.hpp"
#include "loss.hpp"
#include "schedule.hpp"

namespace locum::operators {

enum class Optimiser { adam, adamw };
constexpr auto option_names(Optimiser)
{
  return std::array{std::pair{Optimiser::adam, "adam"}, std::pair{Optimiser::adamw, "adamw"}};
}

/// What the loss compares: predictions in the units of the data, or normalised ones.
enum class LossSpace { physical, normalised };
constexpr auto option_names(LossSpace)
{
  return std::array{std::pair{LossSpace::physical, "physical"}, std::pair{LossSpace::normalised, "normalised"}};
}

enum class Device { automatic, cpu, cuda };
constexpr auto option_names(Device)
{
  return std::array{std::pair{Device::automatic, "auto"}, std::pair{Device::cpu, "cpu"},
                    std::pair{Device::cuda, "cuda"}};
}

/// The device an option means: CUDA if it is there, for `automatic`.
/// @throws OptionError  if CUDA is asked for and not there.
torch::Device find_device(Device device);

enum class Precision { float32, float64 };
constexpr auto option_names(Precision)
{
  return std::array{std::pair{Precision::float32, "float32"}, std::pair{Precision::float64, "float64"}};
}

struct TrainingOptions {
  std::int64_t epochs = 100;
  std::int64_t batch = 20;
  std::int64_t seed = 0;
  Loss loss = Loss::relative_l2;
  Edges loss_edges = Edges::one_sided;
  LossSpace loss_space = LossSpace::physical;
  Optimiser optimiser = Optimiser::adamw;
  double weight_decay = 1e-4;
  ScheduleOptions schedule;
  Normalisation input_normaliser = Normalisation::unit_gaussian;
  Normalisation output_normaliser = Normalisation::unit_gaussian;
  NormaliseOver normalise_over = NormaliseOver::channel;
  Precision precision = Precision::float32;
  Device device = Device::automatic;

  template <class Visitor>
  void visit(Visitor&& option)
  {
    option("epochs", epochs, "passes over the training samples");
    option("batch", batch, "samples a step");
    option("seed", seed, "of the initial weights and the order of samples");
    option("loss", loss, "relative_l2, h1 or mse");
    option("loss_edges", loss_edges, "derivatives of h1 at the edges of the grid: one_sided or periodic");
    option("loss_space", loss_space, "physical: in the data's units; normalised: as the network sees them");
    option("optimiser", optimiser, "adam or adamw");
    option("weight_decay", weight_decay, "adam: part of the gradient; adamw: decoupled");
    schedule.visit(option);
    option("input_normaliser", input_normaliser, "none, unit_gaussian or min_max");
    option("output_normaliser", output_normaliser, "none, unit_gaussian or min_max");
    option("normalise_over", normalise_over, "one statistic a channel, or a point of the grid");
    option("precision", precision, "float32 or float64");
    option("device", device, "auto, cpu or cuda");
  }
};

/// Inputs and what the operator should make of them, in the units of the data: [sample, channel, (z, y,) x].
using TrainingSet = io::Batch;

struct TrainingResult {
  std::int64_t epochs = 0;     ///< Done in all, over every start of the run.
  double best_validation = 0;  ///< Relative L2 error on the validation samples, of the weights kept; NaN without any.
};

/// Fits `surrogate` to the training samples by gradient descent.
///
/// Samples come in batches from memory or from files larger than it; a pass over a source in memory is the same as over
/// the tensors themselves. Normalisers are fitted to the training samples alone, in one pass; of streamed samples they
/// are kept in `folder`/statistics.h5 until the data change. After every epoch `folder`/checkpoint.h5 holds all it
/// takes to go on, `folder`/best.h5 the weights with the least validation error (the last ones, if there are no
/// validation samples), and `folder`/metrics.jsonl one more line. If checkpoint.h5 is there already, training goes on
/// from it, to the bits that an unbroken run would have given. At the end `surrogate` has the best weights.
///
/// Runs on one rank.
/// @param training, validation  in the units of the data; not to be used afterwards
/// @param settings  what the run was started with; stored, and compared on resuming
/// @throws OptionError  if checkpoint.h5 was trained with other settings.
/// @throws SolverError  if the loss is no longer finite; files keep the last good epoch.
/// @throws DataError    what reading the samples throws
TrainingResult train(Surrogate& surrogate, io::BatchSource& training, io::BatchSource& validation,
                     const TrainingOptions& options, const std::filesystem::path& folder, const std::string& settings,
                     const Log& log);
/// The same with samples that are in memory.
TrainingResult train(Surrogate& surrogate, const TrainingSet& training, const TrainingSet& validation,
                     const TrainingOptions& options, const std::filesystem::path& folder, const std::string& settings,
                     const Log& log);

}  // namespace locum::operators
