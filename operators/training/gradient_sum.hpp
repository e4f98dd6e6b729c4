#pragma once
#include <locum/core/communicator.hpp>

#include <memory>
#include <span>
#include <vector>

#include "parameters.hpp"

namespace locum::operators {

/// Sums numbers over ranks, each in its place; all ranks get the same bits. Collective.
void sum_over(const Communicator& ranks, std::span<double> numbers);

/// Sums gradients over ranks while the backward pass still computes, each rank a part of them: it steps that part of
/// the parameters, and then all ranks tell one another the values. So optimisers' steps and states are shared, too.
/// (Rajbhandari et al., ZeRO, SC 2020, stage 1.)
///
/// Parameters are gathered into buckets, the last layers' first, and a bucket is on its way as soon as its last
/// gradient is there (Li et al., PyTorch Distributed, VLDB 2020, sec. 3.2): each rank sends every other one the part
/// that that rank owns of it. A part is summed in the order of ranks, so that its bits are the same every time. Among
/// so many ranks that the number of messages matters more than when they are sent, MPI sums and scatters the buckets
/// when the pass has ended. With one rank it only collects.
///
/// Gradients on a GPU, and those of which every rank needs all, are summed when the pass has ended, and on all ranks:
/// by MPI itself if it takes a GPU's memory, else through the host's.
class GradientSum {
 public:
  /// @param parameters  must outlive this object; its groups become those of this rank's part
  /// @param shared      whether a part is enough for each rank's step
  /// @param direct      ranks up to which each sends to each
  GradientSum(Parameters& parameters, const Communicator& ranks, bool shared, int direct = 64);
  ~GradientSum();
  GradientSum(const GradientSum&) = delete;
  GradientSum& operator=(const GradientSum&) = delete;

  /// The next backward pass is the last before finish(): what it has computed may be collected and sent.
  void begin();
  /// Waits until parameters.gradients are there, sums over all ranks: in this rank's part, or all of them if they are
  /// not shared. Collective, whether or not this rank had a pass.
  void finish();
  /// Norm of all gradients. Collective, after finish().
  double norm() const;

  /// Tells all ranks the parts of a vector like Parameters::values, each of which its owner knows. Collective.
  void exchange(const Tensor& vector) const;
  /// Tells rank 0 alone. Collective.
  void bring_to_root(const Tensor& vector) const;

 private:
  using Range = Parameters::Range;
  struct Bucket {
    Range all;                       // in the vector
    std::vector<Range> shares = {};  // of each rank
    Tensor received = {};            // what others have for this rank's share, [rank, number]
    std::int64_t parameters = 0, pending = 0;
  };
  void arrived(std::int64_t parameter);
  void send_those_complete();
  Tensor own(const Bucket& bucket) const;

  Parameters& parameters_;
  Communicator ranks_;
  bool shared_, direct_;
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
