#pragma once
#include <locum/core/sample.hpp>

#include "../datasets/dataset.hpp"
#include "batches.hpp"

namespace locum::io {

/// The name of a field so many steps from now: "u" now, "u@-1" before, "u@+1" after.
std::string name_at(const std::string& field, std::int64_t step);
/// The inverse: field and step. A name without a step is of now.
std::pair<std::string, std::int64_t> field_and_step(const std::string& name);

/// Windows in the time of a dataset: which fields at which steps are read, and which are to be predicted.
///
/// A window is a trajectory and a step of it, "now". Fields are named as name_at() does, in strides: with stride 10,
/// "u@+1" is u ten steps later. Fields that do not vary in time, and scalars, are the same at every step. A dataset
/// without time has one window a sample.
class Windows {
 public:
  /// A rectangle of windows: trajectories first_trajectory …, and of each the windows first_window ….
  struct Range {
    std::int64_t first_trajectory = 0, trajectories = 0;
    std::int64_t first_window = 0, windows = 0;

    std::int64_t size() const { return trajectories * windows; }
  };

  /// Steps of some trajectories in memory, and where the windows are in them.
  struct Rows {
    std::map<std::string, Tensor> fields;  ///< [row, component, (z, y,) x], trajectory after trajectory.
    Tensor evolving;                       ///< Row of "now" of every window in fields that vary in time, int64.
    Tensor constant;                       ///< The same in fields that do not.
  };

  /// @param dataset  must outlive this object
  /// @param stride   steps of the file between neighbouring steps of a window
  /// @throws DataError    if there is no such field, or fields do not share a grid
  /// @throws OptionError  if a trajectory is too short for one window
  Windows(const Dataset& dataset, std::vector<std::string> inputs, std::vector<std::string> outputs,
          std::int64_t stride = 1);

  /// Fields at the steps of a window: those that vary in time at steps from … to, others once.
  static std::vector<std::string> names(const Dataset& dataset, const std::vector<std::string>& fields,
                                        std::int64_t from, std::int64_t to);

  /// All windows.
  Range all() const;
  /// Cuts a range into blocks of about `bytes`, a chunk of the file's storage or more: whole trajectories, or pieces of
  /// one if one is larger. In the order of the file.
  std::vector<Range> cut(const Range& range, std::int64_t bytes) const;
  /// Steps of a trajectory that a window reaches over.
  std::int64_t length() const { return latest_ - earliest_ + 1; }
  /// The step that is "now" in a window.
  std::int64_t now(std::int64_t window) const { return window - earliest_; }
  std::vector<Channel> input_channels() const { return channels_of(inputs_); }
  std::vector<Channel> output_channels() const { return channels_of(outputs_); }
  /// Bytes that read() takes for a trajectory's fields that do not vary in time, and for each step of the others.
  std::int64_t bytes_constant() const { return bytes_constant_; }
  std::int64_t bytes_a_step() const { return bytes_a_step_; }
  /// Bytes of a window as gather() returns it.
  std::int64_t bytes_a_window() const { return bytes_a_window_; }
  const Dataset& dataset() const noexcept { return dataset_; }
  /// The fields that are read, each once, without steps.
  const std::vector<std::string>& fields() const noexcept { return together_; }

  /// Reads all that the windows of some ranges need. The only part that touches the file.
  /// @param old  rows no longer needed: their memory is used again where nobody else holds it, as the system takes as
  ///             long to find new memory as a disk to fill it
  Rows read(const std::vector<Range>& ranges, Rows old = {}) const;
  /// @throws DataError  naming the first value that is not finite among what was read.
  void check_finite(const Rows& rows, const std::vector<Range>& ranges, const std::string& doing) const;
  /// Windows number `chosen` (int64) of those read: channels side by side.
  Batch gather(const Rows& rows, const Tensor& chosen) const;
  /// All windows that were read as members of a sample, fields named as name_at() does. Scalars and time are those of
  /// `range`'s first trajectory.
  Sample sample(const Rows& rows, const Range& range) const;

 private:
  struct Term {
    std::string name;   // "u@+1"
    std::string field;  // "u"
    std::int64_t step = 0;
    FieldDescription description;
  };
  std::vector<Term> terms_of(const std::vector<std::string>& names) const;
  static std::vector<Channel> channels_of(const std::vector<Term>& terms);
  Tensor rows_of(const Rows& rows, const Term& term, const Tensor& chosen) const;

  const Dataset& dataset_;
  std::int64_t stride_;
  std::vector<Term> inputs_, outputs_;
  std::vector<std::string> together_;
  std::int64_t earliest_ = 0, latest_ = 0;  // steps of the file from "now"
  std::int64_t bytes_constant_ = 0, bytes_a_step_ = 0, bytes_a_window_ = 0;
};

}  // namespace locum::io
