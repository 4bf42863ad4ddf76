#include "runtime_launchers/vm/tsc.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>

#include "runtime_launchers/support/clock.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

TEST(HostTscKhz, AgreesWithTheHostsClock) {
  const std::int64_t khz = HostTscKhz();
  if (khz == 0) GTEST_SKIP() << "the TSC of this host is no clock";
  EXPECT_EQ(HostTscKhz(), khz);
  const std::int64_t begin_ns = MonotonicRawNs();
  const std::uint64_t begin = ReadHostTsc();
  const std::int64_t begun_ns = MonotonicRawNs();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const std::int64_t end_ns = MonotonicRawNs();
  const std::uint64_t end = ReadHostTsc();
  const std::int64_t ended_ns = MonotonicRawNs();
  // The counter was read at some time between the two reads of the clock around it.
  const double elapsed_ns = static_cast<double>(end - begin) * 1e6 / static_cast<double>(khz);
  EXPECT_GT(elapsed_ns, static_cast<double>(end_ns - begun_ns) * 0.999);
  EXPECT_LT(elapsed_ns, static_cast<double>(ended_ns - begin_ns) * 1.001);
}

TEST(HostKeepsTimeByTsc, AsksTheKernelAndTheProcessor) {
  constexpr char kInvariant[] = "flags\t\t: fpu tsc constant_tsc nonstop_tsc avx2\n";
  const struct {
    const char* source;
    const char* cpuinfo;
    bool keeps;
  } cases[] = {
      {"tsc\n", kInvariant, true},
      {"kvm-clock\n", kInvariant, false},
      {"hpet\n", kInvariant, false},
      {"tsc\n", "flags\t\t: fpu tsc constant_tsc\n", false},
      {"tsc\n", "flags\t\t: fpu tsc nonstop_tsc\n", false},
      {"tsc\n", "model name\t: constant_tsc nonstop_tsc\n", false},
      {"", kInvariant, false},
  };
  for (const auto& c : cases) {
    const TemporaryDir root;
    const auto source = root.path() / "sys/devices/system/clocksource/clocksource0";
    std::filesystem::create_directories(source);
    std::filesystem::create_directories(root.path() / "proc");
    std::ofstream(source / "current_clocksource") << c.source;
    std::ofstream(root.path() / "proc/cpuinfo") << "processor\t: 0\n" << c.cpuinfo;
    EXPECT_EQ(HostKeepsTimeByTsc(root.path()), c.keeps) << c.source << c.cpuinfo;
  }
  EXPECT_FALSE(HostKeepsTimeByTsc("/nonexistent"));
}

}  // namespace
}  // namespace hvbench
