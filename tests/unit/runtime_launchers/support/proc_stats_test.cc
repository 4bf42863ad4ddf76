#include "runtime_launchers/support/proc_stats.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

constexpr pid_t kNobody = (1 << 22) - 1;  // the largest that a 64-bit kernel can give

TEST(ProcStats, CpuTimeGrowsWithWork) {
  const Process busy = Process::Spawn({"/bin/sh", "-c", "while :; do :; done"}, {});
  Pause(std::chrono::milliseconds(200), false);
  const auto time = CpuTimeOfProcess(busy.pid());
  ASSERT_TRUE(time);
  EXPECT_GT(*time, std::chrono::milliseconds(20));
  EXPECT_FALSE(CpuTimeOfProcess(kNobody));
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
  EXPECT_FALSE(PssOfProcess(kNobody));
  EXPECT_TRUE(PssOfProcesses({getpid(), kNobody}));
  EXPECT_FALSE(PssOfProcesses({kNobody}));
  EXPECT_FALSE(PssOfProcesses({}));
}

TEST(ProcStats, KnowsParents) {
  const Process child = Process::Spawn({"/bin/sleep", "30"}, {});
  EXPECT_EQ(ParentOfProcess(child.pid()), getpid());
  EXPECT_FALSE(ParentOfProcess(kNobody));
}

}  // namespace
}  // namespace hvbench
