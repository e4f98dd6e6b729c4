#pragma once
#include <locum/io/streamed_batches.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "case.hpp"
#include "run_folder.hpp"

namespace locum::cli {

/// Training samples of a case, open: in memory, or streamed if they do not fit.
///
/// The file is split by trajectories: those held out at one end are for validation, and, if there is no file to test
/// with, those beyond for testing. A single trajectory is split in time, so that no step is on both sides.
struct TrainingData {
  std::unique_ptr<io::Dataset> dataset;
  std::unique_ptr<io::Windows> windows;
  std::unique_ptr<io::BatchSource> training, validation;
  std::vector<Channel> inputs, outputs;
  std::vector<std::int64_t> points;  ///< Of the grid.
  bool streamed = false;
};

/// @throws DataError  naming file, field and position of what is missing or not finite.
/// @throws OptionError  if the case's split or windows leave nothing to train on.
TrainingData open_training_data(const Case& c, const RunFolder& folder);

/// The samples to test with: the named fields, at the steps their names say (io::name_at()).
/// @throws DataError  naming file, field and position of what is missing or not finite.
Sample read_test_samples(const Case& c, const RunFolder& folder, const std::vector<std::string>& fields);

}  // namespace locum::cli
