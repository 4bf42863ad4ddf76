// Sizes of working sets that lie in memory and not in a cache, whatever the machine: the host tells
// its last-level cache, which is the same for all guests of a run, where a guest may see none or
// another.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "benchmarks/kernels/support/mapping.h"

namespace hvbench::agent::kernels {

// The bytes that the parameter `key` stands for: `key`:memory is `times` the host's last-level
// cache and at least `least` bytes, `key`_mib or `key`_kib a number. Unsupported if `sets` of that
// size leave less than a fifth of the guest's memory to others.
inline std::size_t MemorySize(const Context& context, const std::string& key, std::size_t times,
                              std::size_t least, std::size_t sets) {
  if (context.Has(key + "_mib")) return context.Number(key + "_mib") * kMiB;
  if (context.Has(key + "_kib")) return context.Number(key + "_kib") * kKiB;
  if (context.Text(key) != "memory") {
    throw std::invalid_argument(key + " is not memory: " + context.Text(key));
  }
  const std::size_t cache = context.Number("llc_kib") * kKiB;
  const std::size_t bytes = std::max(least, times * cache);
  const std::size_t rounded = (bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  const std::size_t needed_mib = (sets * rounded / kMiB * 5 + 3) / 4;
  if (needed_mib > context.Number("guest_mib")) {
    throw Unsupported(std::to_string(times) + " times the host's last-level cache of " +
                      std::to_string(cache / kMiB) + " MiB takes a guest with " +
                      std::to_string(needed_mib) +
                      " MiB of memory: --hvbench_memory_mib=" + std::to_string(needed_mib));
  }
  return rounded;
}

}  // namespace hvbench::agent::kernels
