#include "runtime_launchers/vm/tsc.h"

#include <sys/prctl.h>
#include <x86intrin.h>

#include <chrono>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "runtime_launchers/support/clock.h"

namespace hvbench {
namespace {

// Both clocks of a sample are read within some 100 ns: 5 ppm of this.
constexpr auto kInterval = std::chrono::milliseconds(20);

// The first CPU's flags: all have the same.
std::set<std::string> CpuFlags(const std::filesystem::path& root) {
  std::ifstream cpuinfo(root / "proc/cpuinfo");
  std::string line;
  while (std::getline(cpuinfo, line) && !line.starts_with("flags")) {
  }
  std::istringstream words(line);
  std::set<std::string> flags;
  for (std::string word; words >> word;) flags.insert(word);
  return flags;
}

// A caller may have denied it to this process: reading it would be a SIGSEGV.
bool MayRead() {
  int mode = PR_TSC_ENABLE;
  return prctl(PR_GET_TSC, &mode) != 0 || mode == PR_TSC_ENABLE;
}

std::int64_t Measure() {
  if (!CpuFlags("/").contains("constant_tsc") || !MayRead()) return 0;
  const TscMoment begin = ReadTscMoment();
  std::this_thread::sleep_for(kInterval);
  const TscMoment end = ReadTscMoment();
  return (end.tsc - begin.tsc) * 1'000'000 / (end.ns - begin.ns);
}

}  // namespace

std::int64_t HostTscKhz() {
  static const std::int64_t kKhz = Measure();
  return kKhz;
}

bool HostKeepsTimeByTsc(const std::filesystem::path& root) {
  std::ifstream file(root / "sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::string source;
  const std::set<std::string> flags = CpuFlags(root);
  return file >> source && source == "tsc" && flags.contains("constant_tsc") &&
         flags.contains("nonstop_tsc");
}

std::uint64_t ReadHostTsc() {
  _mm_lfence();
  return __rdtsc();
}

TscMoment ReadTscMoment() {
  constexpr int kTries = 20;
  TscMoment best;
  std::int64_t best_width_ns = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < kTries; ++i) {
    const std::int64_t before_ns = MonotonicRawNs();
    const auto tsc = static_cast<std::int64_t>(ReadHostTsc());
    const std::int64_t width_ns = MonotonicRawNs() - before_ns;
    if (width_ns >= best_width_ns) continue;
    best_width_ns = width_ns;
    best = {before_ns + width_ns / 2, tsc};
  }
  return best;
}

}  // namespace hvbench
