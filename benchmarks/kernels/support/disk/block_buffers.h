// Where a job's blocks lie in memory while they are under way.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "benchmarks/kernels/support/disk/sectors.h"
#include "benchmarks/kernels/support/mapping.h"

namespace hvbench::agent::kernels {

// A block that is written has the random bytes of its place in the file. They lie ready: a buffer
// is for blocks with the same ones alone, and a write costs the headers, one cache line for each
// 4 KiB. Copying them cost 14 % of the random writes to a loop device, much more than the copy's
// own time (docs/peers.md). A read leaves them as they are, since it is of such a block.
class BlockBuffers {
 public:
  // For `depth` blocks of `block_bytes` at a time; without `writes` they are read into alone.
  // `sectors` outlives it.
  BlockBuffers(const Sectors& sectors, std::size_t block_bytes, std::size_t depth, bool writes)
      : sectors_(sectors),
        block_bytes_(block_bytes),
        set_bytes_(writes ? sectors.PeriodBytes() : block_bytes),
        free_(set_bytes_ / block_bytes) {
    // So many others with the same bytes are under way for fewer than one of 1,000 random blocks.
    const std::size_t sets = std::min(depth, 4 + 2 * depth / free_.size());
    ready_bytes_ = sets * set_bytes_;
    const std::size_t bytes = ready_bytes_ + (depth - sets) * block_bytes;
    memory_ = MapForDisk(bytes);
    all_ = {memory_.data(), bytes};
    sectors.Fill(all_, 0, 0);
    for (std::size_t end = bytes; end > 0; end -= block_bytes) {
      GiveBack(all_.data() + end - block_bytes);
    }
  }

  std::span<std::byte> all() const { return all_; }

  // For the block at byte `offset` of the file, until it is given back.
  std::byte* Take(std::uint64_t offset) {
    std::vector<std::byte*>& ready = ReadyFor(offset);
    const bool is_ready = !ready.empty();
    std::vector<std::byte*>& from = is_ready ? ready : spare_;
    std::byte* const block = from.back();
    from.pop_back();
    if (!is_ready) sectors_.Fill({block, block_bytes_}, offset, 0);
    return block;
  }
  // The last one back is the next one taken: few of them are in use, and stay in the CPU's caches.
  void GiveBack(std::byte* block) {
    const auto at = static_cast<std::uint64_t>(block - all_.data());
    (at < ready_bytes_ ? ReadyFor(at) : spare_).push_back(block);
  }

 private:
  std::vector<std::byte*>& ReadyFor(std::uint64_t offset) {
    return free_[offset % set_bytes_ / block_bytes_];
  }

  const Sectors& sectors_;
  std::size_t block_bytes_;
  std::size_t set_bytes_;  // of one buffer for each kind of random bytes
  std::size_t ready_bytes_ = 0;
  Mapping memory_;
  std::span<std::byte> all_;                   // sets, and after ready_bytes_ spare ones
  std::vector<std::vector<std::byte*>> free_;  // by kind
  std::vector<std::byte*> spare_;              // for when all of a kind are under way
};

}  // namespace hvbench::agent::kernels
