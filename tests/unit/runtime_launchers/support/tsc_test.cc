#include "runtime_launchers/support/tsc.h"

#include <gtest/gtest.h>
#include <x86intrin.h>

#include <thread>

#include "runtime_launchers/support/clock.h"

namespace hvbench {
namespace {

TEST(HostTscKhz, AgreesWithTheHostsClock) {
  const std::int64_t khz = HostTscKhz();
  if (khz == 0) GTEST_SKIP() << "the TSC of this host is no clock";
  EXPECT_EQ(HostTscKhz(), khz);
  const auto tsc = static_cast<double>(__rdtsc());
  const auto ns = static_cast<double>(MonotonicRawNs());
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const double elapsed_ns = (static_cast<double>(__rdtsc()) - tsc) * 1e6 / static_cast<double>(khz);
  EXPECT_NEAR(elapsed_ns / (static_cast<double>(MonotonicRawNs()) - ns), 1, 0.01);
}

}  // namespace
}  // namespace hvbench
