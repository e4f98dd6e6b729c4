#include "streamed_batches.hpp"

#include <fmt/format.h>
#include <locum/core/random.hpp>

#include <algorithm>
#include <utility>

#include "../fingerprint.hpp"

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

StreamedBatches::~StreamedBatches()
{
  if (ahead_.valid()) ahead_.wait();
}

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

void StreamedBatches::start(std::int64_t batch, std::optional<Shuffle> shuffle)
{
  if (ahead_.valid()) ahead_.wait();
  ahead_ = {};
  batch_ = batch;
  shuffle_ = shuffle;
  const auto count = static_cast<std::int64_t>(blocks_.size());
  const Tensor order = shuffle_ ? RandomStream(shuffle_->seed, "order of blocks", shuffle_->epoch).permutation(count)
                                : torch::arange(count);
  // Every rank knows all shares: the smallest says how many batches there are.
  order_.clear();
  std::vector<std::int64_t> share(static_cast<std::size_t>(ranks_), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto block = static_cast<std::size_t>(order[i].item<std::int64_t>());
    share[static_cast<std::size_t>(i % ranks_)] += blocks_[block].size();
    if (i % ranks_ == rank_) order_.push_back(block);
  }
  batches_left_ = (*std::min_element(share.begin(), share.end()) + batch_ - 1) / batch_;
  next_block_ = next_pool_ = 0;
  old_ = {};
  pool_ = {};
  position_ = 0;
  read_ahead();
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
  if (batches_left_ == 0) {
    if (ahead_.valid()) ahead_.wait();
    return std::nullopt;
  }
  std::vector<Tensor> inputs, outputs;
  for (std::int64_t have = 0; have < batch_;) {
    if (!pool_.order.defined() || position_ == pool_.order.size(0)) {
      old_ = std::exchange(pool_, {}).rows;
      if (!ahead_.valid()) break;
      pool_ = ahead_.get();
      position_ = 0;
      read_ahead();
      if (!missing_) windows_.check_finite(pool_.rows, pool_.ranges, doing_);  // while the disk works
    }
    const std::int64_t count = std::min(batch_ - have, pool_.order.size(0) - position_);
    const Batch some = windows_.gather(pool_.rows, pool_.order.narrow(0, position_, count));
    inputs.push_back(some.inputs);
    outputs.push_back(some.outputs);
    have += count;
    position_ += count;
  }
  --batches_left_;
  const auto joined = [](const std::vector<Tensor>& parts) { return parts.size() == 1 ? parts[0] : torch::cat(parts); };
  const Batch batch{.inputs = joined(inputs), .outputs = joined(outputs)};
  return preparation_ ? preparation_(batch) : batch;
}

}  // namespace locum::io
