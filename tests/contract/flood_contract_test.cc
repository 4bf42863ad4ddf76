// A guest that prints without end costs the host no disk and a bounded piece of memory, and is
// measured on.
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "runtime_launchers/support/bounded_log.h"
#include "runtime_launchers/support/clock.h"
#include "tests/contract/contract_environment.h"

namespace hvbench {
namespace {

Deadline Soon() { return Deadline::In(std::chrono::seconds(200)); }

// Of all files below a folder; its own, not those that are linked or mounted there.
std::int64_t BytesOnDisk(const std::filesystem::path& dir) {
  std::int64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    struct stat info = {};
    if (lstat(entry.path().c_str(), &info) == 0) bytes += info.st_blocks * 512;
  }
  return bytes;
}

// The time that a guest takes to print so much.
std::int64_t PrintNs(ExecBridge& bridge, std::int64_t kib) {
  protocol::PrepareRequest prepare;
  prepare.kernel = "fault/flood";
  prepare.params = {{"kib", std::to_string(kib)}};
  prepare.iterations = 1;
  bridge.Prepare(prepare, Soon());
  const std::int64_t begin_ns = MonotonicRawNs();
  bridge.Run(1, Soon());
  const std::int64_t passed_ns = MonotonicRawNs() - begin_ns;
  bridge.Verify(Soon());
  bridge.Cleanup(Soon());
  return passed_ns;
}

// A machine prints on a serial port, which leaves the guest for each character: a millisecond
// where the processor is emulated. So it prints for some 4 s, but no more than overfills the log.
std::int64_t FloodKib(ExecBridge& bridge) {
  constexpr std::int64_t kSampleKib = 2;
  constexpr std::int64_t kMaxKib = 16 * std::int64_t{1024};
  constexpr std::int64_t kFloodNs = 4'000'000'000;
  return std::min(kMaxKib, kSampleKib * kFloodNs / PrintNs(bridge, kSampleKib) + kSampleKib);
}

TEST_P(LauncherContract, AGuestThatPrintsWithoutEndFillsNoDisk) {
  if (std::getenv("HVBENCH_IN_LAB") != nullptr) {
    GTEST_SKIP() << "the lab's processor stands still where a guest leaves it so often";
  }
  LaunchRequest request = NewRequest();
  request.agent = HVBENCH_FAULT_AGENT;
  BootedGuest booted = Boot(request);
  const std::int64_t before_bytes = BytesOnDisk(work_dir());
  const std::int64_t kib = FloodKib(*booted.bridge);
  const std::int64_t passed_ns = PrintNs(*booted.bridge, kib);
  EXPECT_LT(BytesOnDisk(work_dir()) - before_bytes, static_cast<std::int64_t>(kBoundedLogBytes));
  // Where a stream carries both, the bridge has the tail of what the agent printed.
  const std::string tail = booted.guest->ConsoleTail() + booted.bridge->ErrorTail();
  EXPECT_LE(tail.size(), 4 * kLogTailBytes);
  EXPECT_NE(tail.find("a line of a flood"), std::string::npos) << tail;
  std::cout << "[   FACT   ] " << GetParam() << ": " << kib << " KiB printed in "
            << passed_ns / 1'000'000 << " ms\n";
  StopOrderly(booted);
}

}  // namespace
}  // namespace hvbench
