#pragma once
#include <locum/core/communicator.hpp>
#include <locum/core/log.hpp>
#include <locum/io/batches/batches.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "../surrogate.hpp"
#include "options.hpp"

namespace locum::operators {

/// Where and beside whom a training runs.
struct TrainingRun {
  std::filesystem::path folder = {};
  std::string settings =
      {};  ///< What the run was started with, "key = value" a line: stored, and compared on resuming.
  Log log = silent_log();
  Communicator ranks = {};
  /// Epochs of options.epochs after which to come back as if they were all, for now; 0: all. Rates follow all of them.
  std::int64_t pause_after = 0;
  /// Asked after every step: whether to write a checkpoint and come back. Any rank may say so for all.
  std::function<bool()> stop = {};
  /// What the outputs of the data are, if they reach further in time than the surrogate's (training.rollout).
  std::vector<Channel> targets = {};
  /// Weights of the points in the loss, [(z, y,) x] or what spreads over it; undefined: all the same.
  Tensor weights = {};
  /// The equation's residual of a prediction relative to that of 0 or of no change, [batch]: for training.residual.
  /// Differentiable. Of inputs and prediction in units, [batch, channel, (z, y,) x].
  std::function<Tensor(const Tensor& inputs, const Tensor& prediction)> residual = {};
};

struct TrainingResult {
  std::int64_t epochs = 0;     ///< Done in all, over every start of the run.
  double best_validation = 0;  ///< Relative L2 error on the validation samples, of the weights kept; NaN without any.
  bool complete = true;        ///< false if the run was told to stop.
};

/// Fits `surrogate` to the training samples by gradient descent. Collective.
///
/// Ranks share each batch and sum their gradients, so that the number of ranks changes nothing but rounding (for
/// samples in memory; streamed ones come in another order). Samples come in batches from memory or from files larger
/// than it; a pass over a source in memory is the same as over the tensors themselves. Normalisers are fitted to the
/// training samples alone, in one pass, if the surrogate has none yet; of streamed samples they are kept in
/// `folder`/statistics.h5 until the data change.
///
/// After every epoch, and within one as options.checkpoint_… say, `folder`/checkpoint.h5 holds all it takes to go on,
/// `folder`/best.h5 the weights with the least validation error (the last ones, if there are no validation samples),
/// and `folder`/metrics.jsonl, and beside it TensorBoard's file, one more line. If checkpoint.h5 is there already,
/// training goes on from it, to the bits that an unbroken run would have given. At the end `surrogate` has the best
/// weights, unless it was stopped.
///
/// @param training, validation  in the units of the data, shared by the same ranks; not to be used afterwards
/// @throws OptionError  if checkpoint.h5 was trained with other settings; if there are more ranks than samples a batch
/// @throws SolverError  if the loss is no longer finite; files keep the last good state.
/// @throws DataError    what reading the samples throws
TrainingResult train(Surrogate& surrogate, io::BatchSource& training, io::BatchSource& validation,
                     const TrainingOptions& options, const TrainingRun& run);
/// The same with samples that are in memory.
TrainingResult train(Surrogate& surrogate, const io::Batch& training, const io::Batch& validation,
                     const TrainingOptions& options, const TrainingRun& run);

}  // namespace locum::operators
