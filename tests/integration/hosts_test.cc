// Control groups as other people's machines have them: read-only, in a namespace, in a subtree that
// somebody delegated. What hvbench makes stays within what it was given, and a limit that it cannot
// set is said.
#include <signal.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>

#include "runtime_launchers/support/cgroup.h"
#include "runtime_launchers/support/cgroup_files.h"
#include "runtime_launchers/support/wait.h"
#include "tests/integration/program.h"

namespace hvbench::test {
namespace {

namespace fs = std::filesystem;

class HostsTest : public ProgramTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to change what a process sees of its groups";
    if (DetectCgroupVersion() == CgroupVersion::kNone) GTEST_SKIP() << "needs cgroups";
  }

  // From here on the program is started by this script, which ends in `exec "$program" "$@"`.
  void StartBy(const std::string& script) {
    const fs::path wrapper = dir_ / "wrapper";
    std::ofstream(wrapper) << "#!/bin/sh\nset -e\nprogram='" << program_ << "'\n" << script << "\n";
    fs::permissions(wrapper, fs::perms(0755));
    program_ = wrapper;
  }

  // What limits a guest of that runtime had, as the JSON says.
  std::string LimitsOf(const std::string& runtime) {
    const ProgramResult result = Run({"--hvbench_runtimes=" + runtime, "--hvbench_profile=smoke",
                                      "--benchmark_filter=calibration/noop",
                                      "--benchmark_out=" + (dir_ / "r.json").string()});
    EXPECT_EQ(result.exit_code, 0) << result.err << result.out;
    if (result.exit_code != 0) return "";
    return ReadJson("r.json").at("context").value("runtime." + runtime + ".limits", "");
  }

  // The program refuses the runtime by name; what it says.
  std::string ReasonAgainst(const std::string& runtime) {
    const ProgramResult result = Run({"--hvbench_runtimes=" + runtime, "--hvbench_profile=smoke",
                                      "--benchmark_filter=calibration/noop"});
    EXPECT_EQ(result.exit_code, 2) << result.err << result.out;
    return result.err;
  }
};

TEST_F(HostsTest, ReadOnlyCgroupsAreAReasonAndNoLimit) {
  StartBy(
      "exec unshare --mount sh -c '"
      "awk \"\\$3 ~ /^cgroup/ { print \\$2 }\" /proc/self/mounts | "
      "while read -r dir; do mount -o remount,bind,ro \"$dir\"; done; "
      "exec \"$0\" \"$@\"' \"$program\" \"$@\"");
  const std::string limits = LimitsOf("native");
  EXPECT_TRUE(limits.starts_with("affinity only (cannot ")) << limits;
  EXPECT_NE(limits.find("read-only here"), std::string::npos) << limits;
  EXPECT_NE(limits.find("docker run --privileged"), std::string::npos) << limits;
  if (FindExecutable("runc")) {
    const std::string reason = ReasonAgainst("runc");
    EXPECT_NE(reason.find("read-only here"), std::string::npos) << reason;
  }
}

// A group of this test's own at the top of a version 2 tree.
class OwnGroupTest : public HostsTest {
 protected:
  void SetUp() override {
    HostsTest::SetUp();
    if (IsSkipped()) return;
    if (DetectCgroupVersion() != CgroupVersion::kV2) {
      GTEST_SKIP() << "version 2 alone has subtrees that are delegated (tests/lab has it)";
    }
    for (const CgroupMount& mount : CgroupMounts()) {
      if (mount.is_v2) top_ = mount.mount_point;
    }
    for (const char* controller : {"+cpuset", "+memory", "+pids"}) {
      WriteCgroupFile(top_ / "cgroup.subtree_control", controller);
    }
    group_ = top_ / name_;
    MakeCgroupDirectory(group_);
  }
  void TearDown() override {
    if (group_.empty()) return;
    // The kernel refuses a group that has processes or groups in it: nothing may be left of a run.
    EXPECT_EQ(rmdir(group_.c_str()), 0) << group_;
  }

  void Delegate() { ASSERT_EQ(setxattr(group_.c_str(), "trusted.delegate", "1", 1, 0), 0); }
  std::string EnterGroup() const { return "echo 0 >" + (group_ / "cgroup.procs").string() + "\n"; }
  static std::string InNamespace() {
    return "exec unshare --cgroup --mount sh -c '"
           "umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; exec \"$0\" \"$@\"' "
           "\"$program\" \"$@\"";
  }
  // Nothing is left in the group, and it is as it was.
  void ExpectAsBefore() const {
    for (const auto& entry : fs::directory_iterator(group_)) {
      EXPECT_FALSE(entry.is_directory()) << entry.path();
    }
    EXPECT_EQ(ReadCgroupFile(group_ / "cgroup.subtree_control"), "");
  }
  // The run's groups in `dir`.
  static int RunsIn(const fs::path& dir) {
    int runs = 0;
    for (const auto& entry : fs::directory_iterator(dir)) {
      const std::string name = entry.path().filename();
      runs += entry.is_directory() && name.starts_with("hvbench-") && name != "hvbench-leaf";
    }
    return runs;
  }

  const std::string name_ = "delegated-" + std::to_string(getpid());
  fs::path top_;
  fs::path group_;
};

TEST_F(OwnGroupTest, ADelegatedSubtreeHoldsAllThatIsMade) {
  Delegate();
  StartBy(EnterGroup() + "exec \"$program\" \"$@\"");
  for (const std::string runtime : {"native", "runc"}) {
    SCOPED_TRACE(runtime);
    if (runtime != "native" && !FindExecutable(runtime)) continue;
    const int above = RunsIn(top_);
    Process program = Start({"--hvbench_runtimes=" + runtime, "--benchmark_min_time=60",
                             "--benchmark_filter=syscall/getppid"});
    const Deadline booted = Deadline::In(std::chrono::seconds(60));
    while (RunsIn(group_) == 0 && !booted.Passed() && !program.Wait(Deadline())) {
      Pause(std::chrono::milliseconds(20), /*interruptible=*/false);
    }
    EXPECT_GE(RunsIn(group_), 1);
    EXPECT_LE(RunsIn(top_), above) << "made above of what was delegated";
    program.Kill(SIGINT);
    EXPECT_EQ(Finish(std::move(program)).exit_code, 130);
    ExpectAsBefore();
  }
  EXPECT_EQ(LimitsOf("native"), "cgroup");
}

TEST_F(OwnGroupTest, ACgroupNamespaceLimitsLikeAnyMachine) {
  StartBy(EnterGroup() + InNamespace());
  EXPECT_EQ(LimitsOf("native"), "cgroup");
  ExpectAsBefore();
  if (FindExecutable("runc")) {
    EXPECT_EQ(LimitsOf("runc"), "cgroup");
    ExpectAsBefore();
  }
}

// As in a container, whose own group holds its shell.
TEST_F(OwnGroupTest, OtherProcessesInTheGroupAreAReasonAndStayWhereTheyAre) {
  SpawnOptions options;
  options.cgroup_procs = {group_ / "cgroup.procs"};
  Process bystander = Process::Spawn({"/bin/sleep", "300"}, options);
  StartBy(EnterGroup() + InNamespace());
  const std::string limits = LimitsOf("native");
  EXPECT_TRUE(limits.starts_with("affinity only (the cgroup ")) << limits;
  EXPECT_NE(limits.find("holds other processes"), std::string::npos) << limits;
  if (FindExecutable("runc")) {
    const std::string reason = ReasonAgainst("runc");
    EXPECT_NE(reason.find("holds other processes"), std::string::npos) << reason;
  }
  EXPECT_EQ(ReadCgroupFile(group_ / "cgroup.procs"), std::to_string(bystander.pid()));
  EXPECT_FALSE(bystander.Wait(Deadline()));
  bystander.Kill(SIGKILL);
  bystander.Wait(Deadline::In(std::chrono::seconds(5)));
  ExpectAsBefore();
}

TEST_F(OwnGroupTest, AVariableNamesTheGroup) {
  Delegate();
  StartBy(EnterGroup() + "export HVBENCH_CGROUP=/\nexec \"$program\" \"$@\"");
  EXPECT_EQ(LimitsOf("native"), "cgroup");
  EXPECT_EQ(ReadCgroupFile(group_ / "cgroup.subtree_control"), "");
}

TEST_F(OwnGroupTest, AnOrdinaryUserHasTheLimitsOfTheirSubtree) {
  constexpr uid_t kNobody = 65534;
  for (const char* name : {"", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"}) {
    ASSERT_EQ(chown((group_ / name).c_str(), kNobody, kNobody), 0);
  }
  ASSERT_EQ(chown(dir_.c_str(), kNobody, kNobody), 0);
  if (RunCommand({"/usr/bin/setpriv", "--reuid=65534", "--clear-groups", program_, "--help"},
                 Deadline::In(std::chrono::seconds(30)))
          .status.exit_code != 0) {
    GTEST_SKIP() << "another user may not start " << program_;
  }
  StartBy(EnterGroup() +
          "exec setpriv --reuid=65534 --regid=65534 --clear-groups env -i PATH=\"$PATH\" HOME=" +
          dir_.string() + " \"$program\" \"$@\"");
  EXPECT_EQ(LimitsOf("native"), "cgroup");
  ExpectAsBefore();
}

TEST_F(HostsTest, AScopeOfSystemdThatIsDelegatedIsEnough) {
  if (!fs::exists("/run/systemd/system") || DetectCgroupVersion() != CgroupVersion::kV2) {
    GTEST_SKIP() << "needs systemd and version 2 (tests/lab has both)";
  }
  StartBy("exec systemd-run --quiet --scope -p Delegate=yes \"$program\" \"$@\"");
  EXPECT_EQ(LimitsOf("native"), "cgroup");
  if (FindExecutable("runc")) {
    EXPECT_EQ(LimitsOf("runc"), "cgroup");
  }
}

}  // namespace
}  // namespace hvbench::test
