#include "workspace.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

namespace locum::operators {

namespace {

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

struct Block {
  std::unique_ptr<void, Free> memory;
  std::size_t size;
  std::int64_t last_use;  // counted in tensors taken
};

constexpr std::size_t large = std::size_t{1} << 20;      // smaller ones malloc keeps itself
constexpr std::size_t huge_page = std::size_t{2} << 20;  // asked for where a block fills some of them
constexpr std::int64_t idle = 100;                       // tensors: some training steps

Block allocate(std::size_t bytes)
{
  const std::size_t page = bytes < 4 * huge_page ? 4096 : huge_page, size = (bytes + page - 1) / page * page;
  Block block = {.memory = std::unique_ptr<void, Free>(std::aligned_alloc(page, size)), .size = size, .last_use = 0};
  if (!block.memory) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (page == huge_page) madvise(block.memory.get(), size, MADV_HUGEPAGE);  // advice: may fail
#endif
  return block;
}

}  // namespace

struct Workspace::Blocks {
  std::mutex mutex;
  std::vector<Block> free;
  std::int64_t taken = 0;
};

Workspace::Workspace() : blocks_(std::make_shared<Blocks>()) {}

Tensor Workspace::take(torch::IntArrayRef shape, const torch::TensorOptions& options)
{
  const std::size_t bytes = c10::multiply_integers(shape) * options.dtype().itemsize();
  if (bytes < large) return torch::empty(shape, options);

  const auto block = std::make_shared<Block>();
  {
    const std::lock_guard lock(blocks_->mutex);
    auto& free = blocks_->free;
    auto best = free.end();
    for (auto b = free.begin(); b != free.end(); ++b)
      if (b->size >= bytes && b->size / 2 <= bytes && (best == free.end() || b->size < best->size)) best = b;
    const std::int64_t now = ++blocks_->taken;
    if (best != free.end()) {
      *block = std::move(*best);
      free.erase(best);
    }
    block->last_use = now;
    std::erase_if(free, [&](const Block& b) { return now - b.last_use > idle; });
  }
  if (!block->memory) {
    const std::int64_t now = block->last_use;
    *block = allocate(bytes);
    block->last_use = now;
  }
  const auto give_back = [block, blocks = blocks_](void*) {
    const std::lock_guard lock(blocks->mutex);
    blocks->free.push_back(std::move(*block));
  };
  return torch::from_blob(block->memory.get(), shape, give_back, options);
}

}  // namespace locum::operators
