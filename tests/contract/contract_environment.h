// What the contract tests of all runtimes share: a launcher, a run's cgroup and folder, guests with
// a bridge, and the search for what a guest left behind.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fixtures/exec_bridge/exec_bridge.h"
#include "runtime_launchers/launcher.h"
#include "runtime_launchers/support/cgroup.h"
#include "runtime_launchers/support/clock.h"

namespace hvbench {

// For what a guest does at once; emulated ones take long.
inline Deadline Soon() { return Deadline::In(std::chrono::seconds(20)); }

inline constexpr std::int64_t kTestMemoryMib = 96;

struct BootedGuest {
  LaunchRequest request;
  std::unique_ptr<Guest> guest;
  std::unique_ptr<ExecBridge> bridge;
  protocol::HelloReply hello;
};

class LauncherContract : public ::testing::TestWithParam<std::string> {
 protected:
  // Skips the test where the runtime is unusable on this machine.
  void SetUp() override;
  // Fails the test if anything of its guests is left.
  void TearDown() override;

  Launcher& launcher() { return *launcher_; }
  const ProbeResult& probe() const;
  std::unique_ptr<Launcher> MakeLauncher(RuntimeOptions options) const;
  // A request for a guest of its own with the usual agent; its folder exists.
  LaunchRequest NewRequest();
  BootedGuest Boot();
  BootedGuest Boot(const LaunchRequest& request);
  // By a process that is then killed; what it had in the run's control group is ended.
  void BootAndBeKilled(const LaunchRequest& request);
  // Asks the agent to end, then the guest.
  void StopOrderly(BootedGuest& booted);

  // What still refers to this run: processes, mounts, cgroups, containers, each as one line.
  std::vector<std::string> Leftovers() const;
  // The same, after waiting a little for dying processes to be gone.
  std::vector<std::string> LeftoversAfterGrace() const;
  const std::string& run_cgroup() const { return run_cgroup_; }
  const std::filesystem::path& work_dir() const { return work_dir_; }

 private:
  std::unique_ptr<Launcher> launcher_;
  std::filesystem::path work_dir_;
  std::string run_id_;
  std::string run_cgroup_;
  int guests_ = 0;
};

// All kinds of runtimes.def, and the part of a test's name that one is.
std::vector<std::string> RegisteredKinds();
std::string TestNameOf(std::string kind);

// The programs' main: runs the tests, and returns HVBENCH_SKIP_STATUS if all of them were skipped,
// so that to ctest an unusable runtime does not look like one that passed.
int RunContractTests(int argc, char** argv);

// The process behind a pidfd, from /proc/self/fdinfo; -1 once it has been reaped.
pid_t PidOfPidfd(int pidfd);

// The group of a guest's process, which bears the run's name, or that of systemd's slice.
Cgroup GroupOf(pid_t pid, const LaunchRequest& request);

// A field of /proc/<pid>/status, "" if missing.
std::string StatusField(pid_t pid, const std::string& name);

}  // namespace hvbench
