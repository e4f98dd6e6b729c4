#pragma once
#include <mpi.h>

#include <cstdint>
#include <string>
#include <vector>

namespace locum {

/// A group of ranks that work together. Cheap to copy; does not own the MPI communicator.
///
/// Default-constructed it is this process alone and needs no MPI, so that the library runs in programs
/// that never initialise it. All members but rank(), size(), raw() are collective.
class Communicator {
 public:
  Communicator() = default;
  /// @param comm  valid for the life of this object; MPI must be initialised.
  explicit Communicator(MPI_Comm comm);

  int rank() const noexcept { return rank_; }
  int size() const noexcept { return size_; }
  bool is_root() const noexcept { return rank_ == 0; }
  /// The MPI communicator; MPI_COMM_SELF when this process is alone.
  MPI_Comm raw() const noexcept { return comm_; }

  void barrier() const;
  int minimum(int value) const;
  double maximum(double value) const;
  std::int64_t sum(std::int64_t value) const;
  /// `value` of rank `root`, on every rank.
  std::string broadcast(std::string value, int root = 0) const;
  /// The strings of all ranks, by rank, on every rank.
  std::vector<std::string> gather(const std::string& value) const;

 private:
  MPI_Comm comm_ = MPI_COMM_SELF;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace locum
