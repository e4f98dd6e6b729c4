#include "batches.hpp"

#include <locum/core/random.hpp>

#include <algorithm>

namespace locum::io {

void MemoryBatches::start(std::int64_t batch, std::optional<Shuffle> shuffle, std::int64_t skip)
{
  batch_ = batch;
  position_ = skip * batch;
  order_ =
      shuffle
          ? RandomStream(shuffle->seed, "order of samples", shuffle->epoch).permutation(size()).to(all_.inputs.device())
          : Tensor();
}

std::optional<Batch> MemoryBatches::next()
{
  const std::int64_t count = std::min(batch_, size() - position_);
  if (count <= 0) return std::nullopt;
  const Share share = share_of(count, ranks_.rank(), ranks_.size());
  const std::int64_t first = position_ + share.first;
  const auto some = [&](const Tensor& values) {
    return order_.defined() ? values.index_select(0, order_.narrow(0, first, share.count).to(values.device()))
                            : values.narrow(0, first, share.count);
  };
  Batch batch{.inputs = some(all_.inputs), .outputs = some(all_.outputs), .first = first};
  position_ += count;
  return batch;
}

}  // namespace locum::io
