#pragma once
#include <locum/io/batches/streamed_batches.hpp>

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
  std::vector<Channel> targets;  ///< What the outputs of the samples are: further steps, too, with training.rollout.
  Domain domain;
  std::vector<std::int64_t> points;  ///< Of the grid.
  bool streamed = false;
};

/// @param ranks  that share the samples; not collective
/// @throws DataError  naming file, field and position of what is missing or not finite.
/// @throws OptionError  if the case's split or windows leave nothing to train on.
TrainingData open_training_data(const Communicator& ranks, const Case& c, const RunFolder& folder);

/// The samples to test with: the named fields, at the steps their names say (io::name_at()). They may be larger than
/// memory, and are read some at a time.
class TestData {
 public:
  /// @throws DataError, SystemError  naming the file and what it lacks.
  TestData(const Case& c, const RunFolder& folder, const std::vector<std::string>& fields);

  /// All samples of another file.
  TestData(const Case& c, const std::filesystem::path& file, const std::vector<std::string>& fields);

  std::int64_t size() const { return range_.size(); }
  /// Trajectories, and windows of each: sample number i is window i % windows() of trajectory i / windows().
  std::int64_t trajectories() const { return range_.trajectories; }
  std::int64_t windows() const { return range_.windows; }
  const io::Dataset& dataset() const { return *dataset_; }
  /// The fields that are read, each once, without steps.
  const std::vector<std::string>& fields() const { return all_->fields(); }
  /// Of a window: that of its "now", in the first trajectory.
  double time(std::int64_t window) const;
  /// All samples in order, in pieces that lie together in the file and take a small part of data.memory.
  std::vector<io::Windows::Range> pieces() const;
  /// @throws DataError  naming file, field and position of what is not finite.
  Sample read(const io::Windows::Range& range) const;
  /// Sample number i alone.
  Sample read(std::int64_t i) const;
  /// What the file says of every sample in numbers, [sample].
  std::map<std::string, Tensor> scalars() const;
  /// The trajectories: all their states, `stride` steps of the file from one to the next. Fields have no steps.
  std::vector<Sample> states(std::int64_t stride) const;

 private:
  NotFinite mask_;
  std::int64_t memory_;
  std::unique_ptr<io::Dataset> dataset_;
  std::unique_ptr<io::Windows> all_;
  io::Windows::Range range_;
};

}  // namespace locum::cli
