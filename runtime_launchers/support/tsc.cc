#include "runtime_launchers/support/tsc.h"

#include <x86intrin.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "runtime_launchers/support/clock.h"

namespace hvbench {
namespace {

// Both clocks are read within some 50 ns, 2.5 ppm of this.
constexpr auto kInterval = std::chrono::milliseconds(20);

bool IsConstant() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string word; cpuinfo >> word;) {
    if (word == "constant_tsc") return true;
  }
  return false;
}

std::int64_t Measure() {
  if (!IsConstant()) return 0;
  const std::int64_t begin_ns = MonotonicRawNs();
  const auto begin = static_cast<std::int64_t>(__rdtsc());
  std::this_thread::sleep_for(kInterval);
  const std::int64_t end_ns = MonotonicRawNs();
  const auto end = static_cast<std::int64_t>(__rdtsc());
  return (end - begin) * 1'000'000 / (end_ns - begin_ns);
}

}  // namespace

std::int64_t HostTscKhz() {
  static const std::int64_t kKhz = Measure();
  return kKhz;
}

}  // namespace hvbench
