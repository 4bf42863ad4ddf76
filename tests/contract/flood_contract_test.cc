// A guest that prints without end costs the host no disk and a bounded piece of memory, and is
// measured on.
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "runtime_launchers/support/bounded_log.h"
#include "runtime_launchers/support/clock.h"
#include "tests/contract/contract_environment.h"

namespace hvbench {
namespace {

Deadline AfterTheFlood() { return Deadline::In(std::chrono::seconds(200)); }

// What all files below a folder take, without those that are linked or mounted there.
std::int64_t BytesOnDisk(const std::filesystem::path& dir) {
  std::int64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    struct stat info = {};
    if (lstat(entry.path().c_str(), &info) == 0) bytes += info.st_blocks * 512;
  }
  return bytes;
}

// A machine prints on a serial port, which leaves the guest for each character.
std::string FloodMib(const std::string& runtime) {
  return runtime.starts_with("qemu") || runtime.starts_with("firecracker") ? "2" : "16";
}

TEST_P(LauncherContract, AGuestThatPrintsWithoutEndFillsNoDisk) {
  LaunchRequest request = NewRequest();
  request.agent = HVBENCH_FAULT_AGENT;
  BootedGuest booted = Boot(request);
  if (std::getenv("HVBENCH_IN_LAB") != nullptr &&
      booted.guest->Facts().at("accelerator") == "kvm") {
    StopOrderly(booted);
    GTEST_SKIP() << "the lab's processor stands still where a nested guest leaves it so often";
  }
  protocol::PrepareRequest prepare;
  prepare.kernel = "fault/flood";
  prepare.params = {{"mib", FloodMib(GetParam())}};
  prepare.iterations = 1;
  booted.bridge->Prepare(prepare, AfterTheFlood());
  const std::int64_t before_bytes = BytesOnDisk(work_dir());
  const std::int64_t begin_ns = MonotonicRawNs();
  booted.bridge->Run(1, AfterTheFlood());
  const std::int64_t passed_ns = MonotonicRawNs() - begin_ns;
  booted.bridge->Verify(AfterTheFlood());
  booted.bridge->Cleanup(AfterTheFlood());
  EXPECT_LT(BytesOnDisk(work_dir()) - before_bytes, static_cast<std::int64_t>(kBoundedLogBytes));
  // Where a stream carries both, the bridge has the tail of what the agent printed.
  const std::string tail = booted.guest->ConsoleTail() + booted.bridge->ErrorTail();
  EXPECT_LE(tail.size(), 4 * kLogTailBytes);
  EXPECT_NE(tail.find("a line of a flood"), std::string::npos) << tail;
  std::cout << "[   FACT   ] " << GetParam() << ": " << FloodMib(GetParam()) << " MiB printed in "
            << passed_ns / 1'000'000 << " ms\n";
  StopOrderly(booted);
}

}  // namespace
}  // namespace hvbench
