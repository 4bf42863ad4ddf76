// The files that a web server serves and its load generator expects: both make them from the seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "benchmarks/kernels/support/random.h"

namespace hvbench::agent::kernels {

// Random, so that nothing between the two can compress it.
inline std::string WebContent(std::uint64_t seed, std::uint64_t kib) {
  constexpr std::uint64_t kBytesPerKiB = 1024;
  Random random(seed ^ Mix(kib));
  std::string content;
  content.reserve(static_cast<std::size_t>(kib * kBytesPerKiB));
  while (content.size() < kib * kBytesPerKiB) {
    const std::uint64_t word = random.Next();
    for (unsigned shift = 0; shift < 64; shift += 8) {
      content += static_cast<char>(word >> shift & 0xff);
    }
  }
  return content;
}

// Its path on the server.
inline std::string WebPath(std::uint64_t kib) { return "/" + std::to_string(kib) + "k"; }

inline constexpr std::uint16_t kWebPort = 80;
inline constexpr std::uint16_t kWebTlsPort = 443;

}  // namespace hvbench::agent::kernels
