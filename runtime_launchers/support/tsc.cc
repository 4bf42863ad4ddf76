#include "runtime_launchers/support/tsc.h"

#include <x86intrin.h>

#include <chrono>
#include <fstream>
#include <limits>
#include <string>
#include <thread>

#include "runtime_launchers/support/clock.h"

namespace hvbench {
namespace {

// Both clocks of a sample are read within some 100 ns: 5 ppm of this.
constexpr auto kInterval = std::chrono::milliseconds(20);

bool IsConstant() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string word; cpuinfo >> word;) {
    if (word == "constant_tsc") return true;
  }
  return false;
}

struct Sample {
  std::int64_t ns = 0;
  std::int64_t tsc = 0;
};

// Of a few, the one with the least between its reads: a busy host interrupts some of them.
Sample Take() {
  constexpr int kTries = 20;
  Sample best;
  std::int64_t best_width_ns = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < kTries; ++i) {
    const std::int64_t before_ns = MonotonicRawNs();
    const auto tsc = static_cast<std::int64_t>(__rdtsc());
    const std::int64_t width_ns = MonotonicRawNs() - before_ns;
    if (width_ns >= best_width_ns) continue;
    best_width_ns = width_ns;
    best = {before_ns + width_ns / 2, tsc};
  }
  return best;
}

std::int64_t Measure() {
  if (!IsConstant()) return 0;
  const Sample begin = Take();
  std::this_thread::sleep_for(kInterval);
  const Sample end = Take();
  return (end.tsc - begin.tsc) * 1'000'000 / (end.ns - begin.ns);
}

}  // namespace

std::int64_t HostTscKhz() {
  static const std::int64_t kKhz = Measure();
  return kKhz;
}

}  // namespace hvbench
