#pragma once
#include <locum/core/communicator.hpp>

#include <future>
#include <memory>

#include "windows.hpp"

namespace locum::io {

/// Windows of a dataset that need not fit in memory.
///
/// The windows are cut into blocks that lie together in the file, a chunk of its storage or more each. A pass reads
/// blocks in random order, as many at a time as the memory allows (a pool), and shuffles the windows of each pool; with
/// the order of the file it does neither. While one pool is handed out in batches, one thread reads the next: until
/// the pass ends, nobody else may use HDF5. The order depends on seed, epoch and the size of the pools alone.
///
/// Several ranks share the blocks of a pass; in a random order all have as many batches, so that up to a block a rank
/// is left out, and the order is another for another number of ranks.
class StreamedBatches : public BatchSource {
 public:
  /// @param windows  of a dataset that must outlive this object
  /// @param range    the windows to hand out
  /// @param memory   bytes that two pools may take; a pool has one block at least
  /// @param missing  whether values that are not finite are missing ones, not errors
  /// @param doing    for messages: "reading training samples"
  StreamedBatches(const Windows& windows, const Windows::Range& range, std::int64_t memory, bool missing,
                  std::string doing, const Communicator& ranks = {});
  ~StreamedBatches() override;

  std::int64_t size() const override;
  std::string fingerprint() const override;
  void prepare(std::function<Batch(const Batch&)> preparation) override { preparation_ = std::move(preparation); }
  void start(std::int64_t batch, std::optional<Shuffle> shuffle = std::nullopt, std::int64_t skip = 0) override;
  /// @throws DataError  what the reading thread met
  std::optional<Batch> next() override;
  void settle() override;

  /// How the windows are cut; the last may be smaller.
  const std::vector<Windows::Range>& blocks() const noexcept { return blocks_; }

 private:
  struct Pool {
    Windows::Rows rows;
    std::vector<Windows::Range> ranges;
    Tensor order;  // of its windows
  };
  void read_ahead();

  const Windows& windows_;
  Windows::Range range_;
  bool missing_;
  std::string doing_;
  int rank_, ranks_;
  std::vector<Windows::Range> blocks_;
  std::size_t blocks_a_pool_ = 1;
  std::function<Batch(const Batch&)> preparation_;

  Share share_;  // of every batch
  std::int64_t batch_ = 1, batches_ = 0, next_batch_ = 0;
  std::optional<Shuffle> shuffle_;
  std::vector<std::size_t> order_;  // of this rank's blocks
  std::size_t next_block_ = 0, next_pool_ = 0;
  Pool pool_;
  std::int64_t position_ = 0;  // in the pool's order
  std::int64_t skip_ = 0;      // windows of the next pool
  Windows::Rows old_;          // of the pool before
  std::future<Pool> ahead_;
};

}  // namespace locum::io
