#pragma once
#include <torch/torch.h>
#include <locum/core/communicator.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace locum::io {

using torch::Tensor;

/// Inputs and what an operator should make of them: [sample, channel, (z, y,) x] each.
struct Batch {
  Tensor inputs;
  Tensor outputs;
  std::int64_t first = 0;  ///< Number of the first sample in the pass, of all ranks': what random numbers hang on.
};

/// A random order of samples: that of pass `epoch` of a run with seed `seed`, and of no other.
struct Shuffle {
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;
};

/// Samples in batches, pass after pass: from tensors in memory, or streamed from files. Ranks share every batch.
class BatchSource {
 public:
  virtual ~BatchSource() = default;

  /// Samples a pass goes through.
  virtual std::int64_t size() const = 0;
  /// Names the content, so that what was computed from it can be kept: changes when the files do. "" for tensors in
  /// memory: computing is cheap.
  virtual std::string fingerprint() const { return ""; }

  /// From now on next() returns what `preparation` makes of the values: units to normalised numbers, type, device. What
  /// is in memory is prepared once, here.
  virtual void prepare(std::function<Batch(const Batch&)> preparation) = 0;

  /// Begins a pass, in the order of the file or a random one; a pass that is going on ends.
  /// @param batch  samples a batch, of all ranks together; the last has what is left
  /// @param skip   batches at the beginning to leave out, as if they had been handed out
  virtual void start(std::int64_t batch, std::optional<Shuffle> shuffle = std::nullopt, std::int64_t skip = 0) = 0;
  /// This rank's share of the next batch, perhaps without a sample; nothing at the end of the pass. In a random order
  /// all ranks have as many batches.
  virtual std::optional<Batch> next() = 0;
  /// Nothing is read until next() is called again: others may use HDF5.
  virtual void settle() {}
};

/// A rank's share of so many things in a row.
struct Share {
  std::int64_t first = 0;
  std::int64_t count = 0;
};
inline Share share_of(std::int64_t count, int rank, int ranks)
{
  const std::int64_t first = count * rank / ranks;
  return {.first = first, .count = count * (rank + 1) / ranks - first};
}

/// Samples that are all in memory, on every rank. A pass in the order of the file returns views.
class MemoryBatches : public BatchSource {
 public:
  explicit MemoryBatches(Batch all, const Communicator& ranks = {}) : all_(std::move(all)), ranks_(ranks) {}

  std::int64_t size() const override { return all_.inputs.size(0); }
  void prepare(std::function<Batch(const Batch&)> preparation) override { all_ = preparation(all_); }
  void start(std::int64_t batch, std::optional<Shuffle> shuffle = std::nullopt, std::int64_t skip = 0) override;
  std::optional<Batch> next() override;

 private:
  Batch all_;
  Communicator ranks_;
  Tensor order_;  // undefined: that of the file
  std::int64_t batch_ = 1, position_ = 0;
};

}  // namespace locum::io
