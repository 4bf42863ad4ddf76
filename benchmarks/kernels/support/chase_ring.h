// One random cycle through all cache lines of a working set: each load's address comes from the
// load before, so that neither prefetchers nor out-of-order execution hide its latency.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "benchmarks/kernels/support/mapping.h"
#include "benchmarks/kernels/support/random.h"

namespace hvbench::agent::kernels {

inline constexpr std::size_t kCacheLineBytes = 64;  // of x86-64 and most arm64

struct alignas(kCacheLineBytes) ChaseLine {
  const ChaseLine* next;
  std::uint64_t ordinal;  // this line's place in the cycle
};

class ChaseRing {
 public:
  ChaseRing() = default;
  ChaseRing(std::size_t bytes, Pages pages, std::uint64_t seed) : mapping_(bytes, pages) {
    mapping_.Populate();
    mapping_.RequireItsPages();
    std::vector<std::uint32_t> order(lines().size());
    std::iota(order.begin(), order.end(), 0u);
    Random random(seed);
    Shuffle(std::span(order), random);
    for (std::size_t i = 0; i < order.size(); ++i) {
      lines()[order[i]] = {&lines()[order[(i + 1) % order.size()]], i};
    }
    start_ = &lines()[order[0]];
  }

  std::size_t size() const { return lines().size(); }
  std::span<ChaseLine> lines() const { return mapping_.As<ChaseLine>(); }
  // The line with ordinal 0.
  const ChaseLine* start() const { return start_; }

  // Fails unless `end` is where `steps` steps from start() lead.
  void CheckEnd(const ChaseLine* end, std::uint64_t steps) const {
    if (end != nullptr && end->ordinal == steps % size()) return;
    throw WrongResult("the chase ended at the wrong line after " + std::to_string(steps) +
                      " loads");
  }

 private:
  Mapping mapping_;
  const ChaseLine* start_ = nullptr;
};

}  // namespace hvbench::agent::kernels
