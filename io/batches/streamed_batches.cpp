#include "streamed_batches.hpp"

#include <fmt/format.h>
#include <locum/core/random.hpp>

#include <algorithm>
#include <utility>

#include "../datasets/fingerprint.hpp"

namespace locum::io {

StreamedBatches::StreamedBatches(const Windows& windows, const Windows::Range& range, std::int64_t memory, bool missing,
                                 std::string doing, const Communicator& ranks)
    : windows_(windows),
      range_(range),
      missing_(missing),
      doing_(std::move(doing)),
      rank_(ranks.rank()),
      ranks_(ranks.size())
{
  constexpr std::int64_t blocks_wanted = 16;  // in a pool: what lies together in the file is spread over many batches
  const std::int64_t pool = std::max<std::int64_t>(1, memory / 2);
  blocks_ = windows_.cut(range_, std::max<std::int64_t>(1, pool / blocks_wanted));
  std::int64_t largest = 1;
  for (const auto& block : blocks_)
    largest =
        std::max(largest, block.trajectories * (windows_.bytes_constant() +
                                                (block.windows + windows_.length() - 1) * windows_.bytes_a_step()));
  blocks_a_pool_ = static_cast<std::size_t>(std::max<std::int64_t>(1, pool / largest));
}

StreamedBatches::~StreamedBatches() { settle(); }

std::int64_t StreamedBatches::size() const { return range_.size(); }

std::string StreamedBatches::fingerprint() const
{
  std::string text = fmt::format("windows {} {} {} {} of {};", range_.first_trajectory, range_.trajectories,
                                 range_.first_window, range_.windows, windows_.length());
  for (const auto& list : {windows_.input_channels(), windows_.output_channels()})
    for (const Channel& channel : list)
      text += fmt::format(" {}[{}] in {},", channel.field, channel.component, channel.unit);
  for (const auto& file : windows_.dataset().files()) text += fmt::format(" {}", fingerprint_of(file));
  return text;
}

void StreamedBatches::settle()
{
  if (ahead_.valid()) ahead_.wait();
}

void StreamedBatches::start(std::int64_t batch, std::optional<Shuffle> shuffle, std::int64_t skip)
{
  settle();
  ahead_ = {};
  batch_ = batch;
  share_ = share_of(batch, rank_, ranks_);
  shuffle_ = shuffle;
  const auto count = static_cast<std::int64_t>(blocks_.size());
  const Tensor order = shuffle_ ? RandomStream(shuffle_->seed, "order of blocks", shuffle_->epoch).permutation(count)
                                : torch::arange(count);
  // Every rank knows what all have: who has least says how many batches there are.
  order_.clear();
  std::vector<std::int64_t> windows(static_cast<std::size_t>(ranks_), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto block = static_cast<std::size_t>(order[i].item<std::int64_t>());
    windows[static_cast<std::size_t>(i % ranks_)] += blocks_[block].size();
    if (i % ranks_ == rank_) order_.push_back(block);
  }
  const auto batches_of = [&](int rank) {
    const std::int64_t each = std::max<std::int64_t>(1, share_of(batch, rank, ranks_).count);
    return (windows[static_cast<std::size_t>(rank)] + each - 1) / each;
  };
  batches_ = batches_of(rank_);
  if (shuffle_)
    for (int rank = 0; rank < ranks_; ++rank) batches_ = std::min(batches_, batches_of(rank));
  next_batch_ = skip;
  next_block_ = next_pool_ = 0;
  old_ = {};
  pool_ = {};
  position_ = 0;
  // Pools that are left out whole need not be read.
  for (skip_ = skip * share_.count; next_block_ < order_.size();) {
    std::int64_t pool = 0;
    const std::size_t end = std::min(order_.size(), next_block_ + blocks_a_pool_);
    for (std::size_t i = next_block_; i < end; ++i) pool += blocks_[order_[i]].size();
    if (pool > skip_) break;
    skip_ -= pool;
    next_block_ = end;
    ++next_pool_;
  }
  if (next_batch_ < batches_) read_ahead();
}

void StreamedBatches::read_ahead()
{
  std::vector<Windows::Range> ranges;
  for (; next_block_ < order_.size() && ranges.size() < blocks_a_pool_; ++next_block_)
    ranges.push_back(blocks_[order_[next_block_]]);
  if (ranges.empty()) return;
  const auto purpose = fmt::format("order of samples in pool {} of rank {}", next_pool_++, rank_);
  ahead_ = std::async(std::launch::async, [this, ranges, purpose, old = std::exchange(old_, {})]() mutable {
    torch::NoGradGuard no_gradients;
    Pool pool{.rows = windows_.read(ranges, std::move(old)), .ranges = ranges, .order = {}};
    const std::int64_t count = pool.rows.evolving.size(0);
    pool.order =
        shuffle_ ? RandomStream(shuffle_->seed, purpose, shuffle_->epoch).permutation(count) : torch::arange(count);
    return pool;
  });
}

std::optional<Batch> StreamedBatches::next()
{
  if (next_batch_ >= batches_) {
    settle();
    return std::nullopt;
  }
  std::vector<Tensor> inputs, outputs;
  for (std::int64_t have = 0; have < share_.count;) {
    if (!pool_.order.defined() || position_ == pool_.order.size(0)) {
      old_ = std::exchange(pool_, {}).rows;
      if (!ahead_.valid()) break;
      pool_ = ahead_.get();
      position_ = std::exchange(skip_, 0);
      read_ahead();
      if (!missing_) windows_.check_finite(pool_.rows, pool_.ranges, doing_);  // while the disk works
    }
    const std::int64_t count = std::min(share_.count - have, pool_.order.size(0) - position_);
    const Batch some = windows_.gather(pool_.rows, pool_.order.narrow(0, position_, count));
    inputs.push_back(some.inputs);
    outputs.push_back(some.outputs);
    have += count;
    position_ += count;
  }
  const auto joined = [](const std::vector<Tensor>& parts) { return parts.size() == 1 ? parts[0] : torch::cat(parts); };
  const Batch batch{
      .inputs = joined(inputs), .outputs = joined(outputs), .first = next_batch_++ * batch_ + share_.first};
  return preparation_ ? preparation_(batch) : batch;
}

}  // namespace locum::io
