#include "runtime_launchers/support/proc_stats.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <thread>

#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/unique_fd.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

constexpr pid_t kNoProcess = (1 << 22) - 1;  // the largest that a 64-bit kernel can give

TEST(ProcStats, CpuTimeGrowsWithWork) {
  const Process busy = Process::Spawn({"/bin/sh", "-c", "while :; do :; done"}, {});
  Pause(std::chrono::milliseconds(200), false);
  const auto time = CpuTimeOfProcess(busy.pid());
  ASSERT_TRUE(time);
  EXPECT_GT(*time, std::chrono::milliseconds(20));
  EXPECT_FALSE(CpuTimeOfProcess(kNoProcess));
}

TEST(ProcStats, CpuTimeHoldsThatOfReapedChildren) {
  const Process shell = Process::Spawn(
      {"/bin/sh", "-c", "head -c 200000000 /dev/urandom > /dev/null; exec sleep 30"}, {});
  const Deadline deadline = Deadline::In(std::chrono::seconds(10));
  // A shell that waits uses no time of its own.
  while (CpuTimeOfProcess(shell.pid()).value() < std::chrono::milliseconds(100)) {
    ASSERT_FALSE(deadline.Passed());
    Pause(std::chrono::milliseconds(10), false);
  }
}

TEST(ProcStats, PssIsThatOfExistingProcesses) {
  const auto own = PssOfProcess(getpid());
  ASSERT_TRUE(own);
  EXPECT_GT(*own, 100 * 1024);
  EXPECT_FALSE(PssOfProcess(kNoProcess));
  EXPECT_TRUE(PssOfProcesses({getpid(), kNoProcess}));
  EXPECT_FALSE(PssOfProcesses({kNoProcess}));
  EXPECT_FALSE(PssOfProcesses({}));
}

TEST(ProcStats, TellsMappingsApartByNameAndSize) {
  constexpr std::size_t kMappingBytes = 24 << 20;
  const UniqueFd memory(memfd_create("hvbench-some-memory", MFD_CLOEXEC));
  ASSERT_EQ(ftruncate(memory.get(), kMappingBytes), 0);
  char* const mapped = static_cast<char*>(
      mmap(nullptr, kMappingBytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0));
  ASSERT_NE(mapped, MAP_FAILED);
  const auto ours = [](const MemoryMapping& mapping) {
    return mapping.name.find("hvbench-some-memory") != std::string::npos &&
           mapping.bytes == static_cast<std::int64_t>(kMappingBytes);
  };
  EXPECT_EQ(PssOfMappings(getpid(), ours), 0);
  std::fill_n(mapped, kMappingBytes / 2, 'x');
  EXPECT_EQ(PssOfMappings(getpid(), ours), static_cast<std::int64_t>(kMappingBytes / 2));
  munmap(mapped, kMappingBytes);
  EXPECT_EQ(PssOfMappings(getpid(), ours), 0);
  // Twice the same file, which still holds what nobody maps.
  EXPECT_EQ(BytesInMemoryFiles({getpid(), getpid(), kNoProcess}, "hvbench-some-memory"),
            static_cast<std::int64_t>(kMappingBytes / 2));
  EXPECT_EQ(BytesInMemoryFiles({getpid()}, "hvbench-some"), 0);
  // Between the two, another process that shares this one's libraries may begin or end.
  const std::int64_t before = PssOfProcess(getpid()).value();
  const std::int64_t all = PssOfMappings(getpid(), [](const MemoryMapping&) { return true; });
  const std::int64_t after = PssOfProcess(getpid()).value();
  EXPECT_GE(all, std::min(before, after) - (1 << 20));
  EXPECT_LE(all, std::max(before, after) + (1 << 20));
  EXPECT_EQ(PssOfMappings(kNoProcess, ours), 0);
}

TEST(ProcStats, CountsSharedMemoryOnce) {
  const Process other = Process::Spawn({"/bin/sleep", "30"}, {});
  std::atomic<pid_t> thread = 0;
  std::latch ended(1);
  std::thread sharing([&] {
    thread = gettid();
    thread.notify_one();
    ended.wait();
  });
  thread.wait(0);
  EXPECT_EQ(WithOwnMemory({getpid(), thread, other.pid()}),
            (std::vector<pid_t>{getpid(), other.pid()}));
  EXPECT_EQ(WithOwnMemory({kNoProcess, getpid()}), (std::vector<pid_t>{kNoProcess, getpid()}));
  ended.count_down();
  sharing.join();
}

TEST(ProcStats, FindsProcessesByName) {
  const Process child = Process::Spawn({"/bin/sleep", "30"}, {});
  // execve(2) closes the descriptor that tells Spawn of its success before it gives the name.
  const Deadline deadline = Deadline::In(std::chrono::seconds(10));
  bool found = false;
  while (!found && !deadline.Passed()) {
    found = std::ranges::count(ProcessesNamed("sleep"), child.pid()) == 1;
  }
  EXPECT_TRUE(found);
  EXPECT_TRUE(ProcessesNamed("no-such-name").empty());
}

TEST(ProcStats, KnowsParents) {
  const Process child = Process::Spawn({"/bin/sleep", "30"}, {});
  EXPECT_EQ(ParentOfProcess(child.pid()), getpid());
  EXPECT_FALSE(ParentOfProcess(kNoProcess));
}

}  // namespace
}  // namespace hvbench
