#pragma once
#include <locum/core/communicator.hpp>

#include <memory>
#include <span>
#include <vector>

#include "parameters.hpp"

namespace locum::operators {

/// Sums numbers over ranks, each in its place; all ranks get the same bits. Collective.
void sum_over(const Communicator& ranks, std::span<double> numbers);

/// Sums gradients over ranks while the backward pass still computes: parameters are gathered into buckets, the last
/// layers' first, and a bucket is on its way as soon as its last gradient is there. (Li et al., PyTorch Distributed,
/// VLDB 2020, sec. 3.2.) With one rank it only collects.
///
/// Gradients on a GPU are sent when the pass has ended: by MPI itself if it takes a GPU's memory, else through the
/// host's.
class GradientSum {
 public:
  /// @param parameters  must outlive this object
  GradientSum(Parameters& parameters, const Communicator& ranks);
  ~GradientSum();
  GradientSum(const GradientSum&) = delete;
  GradientSum& operator=(const GradientSum&) = delete;

  /// The next backward pass is the last before finish(): what it has computed may be collected and sent.
  void begin();
  /// Waits until parameters.gradients are there, sums over all ranks. Collective, whether or not this rank had a pass.
  void finish();

 private:
  struct Bucket {
    std::int64_t begin = 0, end = 0;  // in the vector
    std::int64_t parameters = 0, pending = 0;
  };
  void arrived(std::int64_t parameter);
  void send_those_complete();

  Parameters& parameters_;
  Communicator ranks_;
  std::vector<Bucket> buckets_;                                       // in the order they are sent
  std::vector<std::size_t> bucket_of_;                                // each parameter
  std::vector<bool> arrived_;                                         // whose gradients are collected
  std::vector<std::shared_ptr<torch::autograd::Node>> accumulators_;  // whose hooks tell that a gradient is there
  std::vector<std::uintptr_t> hooks_;
  std::vector<MPI_Request> requests_;
  std::size_t next_ = 0;  // to be sent
  bool begun_ = false;
};

}  // namespace locum::operators
