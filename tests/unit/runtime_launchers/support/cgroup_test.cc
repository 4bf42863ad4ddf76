#include "runtime_launchers/support/cgroup.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/wait.h"
#include "tests/support/soon.h"

namespace hvbench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(CgroupName, TheRootAndWhatIsOutsideAreRefused) {
  for (const char* name : {"", "/", "//", "/.", "..", "/../x", "/a/../.."}) {
    EXPECT_THROW(Cgroup{name}, Error) << name;
  }
}

TEST(CgroupVersion, EachHasAName) {
  EXPECT_EQ(Describe(CgroupVersion::kHybrid), "hybrid");
  EXPECT_EQ(Describe(CgroupVersion::kV2), "v2");
}

class CgroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      cgroup_.Create({{}, 64});
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
  }
  void TearDown() override { parent_.KillAndRemove(Soon()); }

  // A process in the group.
  Process Spawn(const std::vector<std::string>& argv) const {
    SpawnOptions options;
    options.cgroup_procs = cgroup_.ProcsFiles();
    return Process::Spawn(argv, options);
  }
  Process SpawnBusy() const { return Spawn({"/bin/sh", "-c", "while :; do :; done"}); }

  const std::string name_ = "/hvbench-unit-" + std::to_string(getpid());
  const Cgroup parent_{name_};
  const Cgroup cgroup_{name_ + "/child"};
};

TEST_F(CgroupTest, ForCpuTimeCountsAndLimitsNothing) {
  const Cgroup counting = Cgroup::ForCpuTime(name_ + "/counting");
  counting.Create({});
  EXPECT_EQ(counting.ProcsFiles().size(), 1u);
  SpawnOptions options;
  options.cgroup_procs = counting.ProcsFiles();
  const Process process = Process::Spawn({"/bin/sh", "-c", "while :; do :; done"}, options);
  EXPECT_EQ(counting.Processes(), std::vector<pid_t>{process.pid()});
  const Deadline deadline = Soon();
  while (counting.CpuTime() < milliseconds(50)) {
    ASSERT_FALSE(deadline.Passed());
    Pause(milliseconds(10), false);
  }
  counting.KillAndRemove(Soon());
  EXPECT_FALSE(counting.Exists());
  EXPECT_TRUE(cgroup_.Exists());
}

TEST_F(CgroupTest, KnowsItsProcesses) {
  EXPECT_TRUE(cgroup_.Exists());
  EXPECT_TRUE(cgroup_.Processes().empty());
  const Process process = Spawn({"/bin/sleep", "30"});
  EXPECT_EQ(cgroup_.Processes(), std::vector<pid_t>{process.pid()});
  EXPECT_EQ(parent_.Processes(), std::vector<pid_t>{process.pid()});
}

TEST_F(CgroupTest, CountsCpuTime) {
  const Process process = SpawnBusy();
  const auto before = cgroup_.CpuTime();
  Pause(milliseconds(200), false);
  EXPECT_GT(cgroup_.CpuTime() - before, milliseconds(20));
}

TEST_F(CgroupTest, FrozenProcessesDoNotRun) {
  const Process process = SpawnBusy();
  cgroup_.Freeze(Soon());
  const auto before = cgroup_.CpuTime();
  Pause(milliseconds(100), false);
  EXPECT_LT(cgroup_.CpuTime() - before, milliseconds(2));
  cgroup_.Thaw(Soon());
  Pause(milliseconds(200), false);
  EXPECT_GT(cgroup_.CpuTime() - before, milliseconds(20));
}

TEST_F(CgroupTest, MemoryIsLimited) {
  Process hog = Spawn({"/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=256M", "count=1"});
  const auto status = hog.Wait(Soon());
  ASSERT_TRUE(status);
  EXPECT_EQ(status->signal, SIGKILL);
  EXPECT_GE(cgroup_.OomKills().value_or(1), 1);
}

TEST_F(CgroupTest, IsRemovedWithFrozenProcesses) {
  Process process = SpawnBusy();
  cgroup_.Freeze(Soon());
  cgroup_.KillAndRemove(Soon());
  EXPECT_FALSE(cgroup_.Exists());
  EXPECT_EQ(process.Wait(Soon())->signal, SIGKILL);
  cgroup_.KillAndRemove(Soon());
}

TEST_F(CgroupTest, AnUnknownGroupIsEmpty) {
  const Cgroup unknown(name_ + "/unknown");
  EXPECT_FALSE(unknown.Exists());
  EXPECT_TRUE(unknown.Processes().empty());
  EXPECT_EQ(unknown.CpuTime().count(), 0);
  EXPECT_FALSE(unknown.OomKills());
  unknown.KillAndRemove(Soon());
}

TEST_F(CgroupTest, TopLevelGroupsAreFoundByTheirPrefix) {
  const auto names = FindTopLevelCgroups("/hvbench-unit-");
  EXPECT_NE(std::find(names.begin(), names.end(), name_), names.end());
  EXPECT_TRUE(FindTopLevelCgroups("/no-such-prefix").empty());
}

TEST_F(CgroupTest, AMissingCpuIsAnError) {
  EXPECT_THROW(Cgroup(name_ + "/cpu").Create({{100'000}, 0}), SystemError);
}

}  // namespace
}  // namespace hvbench
