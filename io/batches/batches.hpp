#pragma once
#include <torch/torch.h>

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
};

/// A random order of samples: that of pass `epoch` of a run with seed `seed`, and of no other.
struct Shuffle {
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;
};

/// Samples in batches, pass after pass: from tensors in memory, or streamed from files.
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
  /// @param batch  samples a batch; the last has what is left
  virtual void start(std::int64_t batch, std::optional<Shuffle> shuffle = std::nullopt) = 0;
  /// The next batch of the pass; nothing at its end.
  virtual std::optional<Batch> next() = 0;
};

/// Samples that are all in memory. A pass in the order of the file returns views.
class MemoryBatches : public BatchSource {
 public:
  explicit MemoryBatches(Batch all) : all_(std::move(all)) {}

  std::int64_t size() const override { return all_.inputs.size(0); }
  void prepare(std::function<Batch(const Batch&)> preparation) override { all_ = preparation(all_); }
  void start(std::int64_t batch, std::optional<Shuffle> shuffle = std::nullopt) override;
  std::optional<Batch> next() override;

 private:
  Batch all_;
  Tensor order_;  // undefined: that of the file
  std::int64_t batch_ = 1, position_ = 0;
};

}  // namespace locum::io
