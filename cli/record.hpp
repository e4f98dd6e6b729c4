#pragma once
#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <limits>

namespace locum::cli {

/// What metrics.jsonl of a run says of its training.
struct RunRecord {
  std::int64_t epochs = 0;
  double seconds = 0;                                                ///< Of all epochs together.
  double best_validation = std::numeric_limits<double>::infinity();  ///< The least error; infinity if there is none.
  torch::Tensor epoch;                                               ///< [line], float64, for curves.
  torch::Tensor training_loss;                                       ///< [line]
  torch::Tensor validation;  ///< [line]; NaN if there are no samples to validate with.
};

/// @param up_to  epochs to look at; 0: all
/// @throws SystemError  if the run has no metrics.
RunRecord record_of(const std::filesystem::path& run, std::int64_t up_to = 0);

}  // namespace locum::cli
