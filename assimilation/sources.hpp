#pragma once
#include <filesystem>
#include <memory>
#include <optional>

#include "method.hpp"

namespace locum::assimilation {

/// Where observations come from, time after time.
class ObservationSource {
 public:
  virtual ~ObservationSource() = default;
  /// The next observations, none when there are no more.
  virtual std::optional<Observations> next() = 0;
  /// The true state at the time of the last ones, [variable]; empty if it is not known.
  virtual RowVector truth() const { return {}; }
  virtual std::string description() const = 0;

  virtual void save(io::Checkpoint& checkpoint) const = 0;
  virtual void load(const io::Checkpoint& checkpoint) = 0;
};

/// A twin experiment: a solver makes the truth, and instruments with errors see it.
class TwinObservations : public ObservationSource {
 public:
  /// @param truth     solver of the true system; must outlive this object
  /// @param start     the true state at the beginning, one member
  /// @param layout    of the model's state; truth() is known if the true state has the same
  /// @param seen      instruments on the true state; @param assumed  the same on the model's, which filters get
  /// @param interval  time from observations to observations
  /// @param count     times
  TwinObservations(EvolvingSolver& truth, Sample start, const StateLayout& layout, std::shared_ptr<const Network> seen,
                   std::shared_ptr<const Network> assumed, double interval, std::int64_t count, std::uint64_t seed);

  std::optional<Observations> next() override;
  RowVector truth() const override;
  std::string description() const override;
  void save(io::Checkpoint& checkpoint) const override;
  void load(const io::Checkpoint& checkpoint) override;

 private:
  EvolvingSolver& solver_;
  Sample state_;
  StateLayout own_layout_;
  bool comparable_;
  std::shared_ptr<const Network> seen_, assumed_;
  double start_, interval_;
  std::int64_t count_, number_ = 0;
  std::uint64_t seed_;
};

/// Observations in an HDF5 file: a group a field, named like it, of arrays with a number an observation: `time`,
/// `value`, a coordinate for every axis of the grid, named like it, and perhaps `deviation` and `component`. What has
/// one time belongs together; rows may stand in any order.
class RecordedObservations : public ObservationSource {
 public:
  /// @param deviation  where the file says none; 0: the file must
  /// @param start      observations at or before this time are left out
  /// @throws DataError  naming the row, if a value is not finite, a place is outside of the grid or is seen twice at
  ///                    once, or an error is not positive
  RecordedObservations(const std::filesystem::path& file, const StateLayout& layout, double deviation, double start,
                       Seen seen);

  std::optional<Observations> next() override;
  std::string description() const override;
  std::int64_t times() const noexcept { return static_cast<std::int64_t>(all_.size()); }
  void save(io::Checkpoint& checkpoint) const override;
  void load(const io::Checkpoint& checkpoint) override;

 private:
  std::filesystem::path file_;
  std::vector<Observations> all_;
  std::size_t number_ = 0;
};

}  // namespace locum::assimilation
