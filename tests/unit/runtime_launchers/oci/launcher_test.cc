// The adapter for OCI runtimes against commands that misbehave.
#include "runtime_launchers/oci/launcher.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "runtime_launchers/support/cgroup.h"
#include "runtime_launchers/support/error.h"
#include "tests/support/soon.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

class OciLauncherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "it needs root";
    if (DetectCgroupVersion() == CgroupVersion::kNone) GTEST_SKIP() << "it needs cgroups";
    std::ofstream(agent_) << "program";
    std::filesystem::create_directory(guest_dir_);
  }

  // A runtime that answers --version, and runs `script` for anything else but delete.
  std::unique_ptr<Launcher> Make(const std::string& script) {
    const std::filesystem::path binary = dir_.path() / "fake-runtime";
    std::ofstream(binary) << "#!/bin/sh\n"
                             "case \"$*\" in\n"
                             "  --version) echo fake version 1.2; exit 0;;\n"
                             "  *' delete '*) exit 0;;\n"
                             "esac\n"
                          << script << "\n";
    std::filesystem::permissions(binary, std::filesystem::perms(0755));
    OciRuntime runtime;
    runtime.command = "fake-runtime";
    runtime.install_fix = "write one";
    runtime.explain = [](const std::string& log) -> std::optional<Unusable> {
      if (log.find("riddle") == std::string::npos) return std::nullopt;
      return Unusable{"an explanation", "a fix"};
    };
    return MakeOciLauncher({"fake", binary, {}}, runtime);
  }

  LaunchRequest Request() const {
    LaunchRequest request;
    request.guest_id = "fake-1";
    request.cgroup = cgroup_;
    request.guest_dir = guest_dir_;
    request.agent = agent_;
    return request;
  }

  // Nothing of it may stay but what lies in its folder.
  ProbeResult Probe(Launcher& launcher) {
    const ProbeResult result = launcher.Probe(ProbeDepth::kTrial, Request());
    EXPECT_FALSE(Cgroup(cgroup_).Exists());
    EXPECT_FALSE(std::filesystem::exists(guest_dir_ / "state"));
    std::filesystem::remove_all(guest_dir_);
    std::filesystem::create_directory(guest_dir_);
    return result;
  }

  std::string LaunchError(Launcher& launcher, Deadline deadline) {
    LaunchRequest request = Request();
    request.deadline = deadline;
    std::string text;
    try {
      launcher.Launch(request);
    } catch (const Error& error) {
      text = error.what();
    }
    EXPECT_FALSE(Cgroup(cgroup_).Exists());
    EXPECT_FALSE(std::filesystem::exists(guest_dir_ / "state"));
    return text;
  }

  const TemporaryDir dir_;
  const std::filesystem::path agent_ = dir_.path() / "agent";
  const std::filesystem::path guest_dir_ = dir_.path() / "guest";
  const std::string cgroup_ = "/hvbench-unit-oci-" + std::to_string(getpid());
};

TEST_F(OciLauncherTest, ARefusalIsQuoted) {
  const auto launcher = Make("echo 'no, not today' >&2; exit 7");
  const ProbeResult probe = Probe(*launcher);
  EXPECT_FALSE(probe.usable);
  EXPECT_EQ(probe.version, "1.2");
  EXPECT_NE(probe.reason.find("exited with 7"), std::string::npos) << probe.reason;
  EXPECT_NE(probe.reason.find("not today"), std::string::npos) << probe.reason;
  const std::string error = LaunchError(*launcher, Soon());
  EXPECT_NE(error.find("exited with 7"), std::string::npos) << error;
  EXPECT_NE(error.find("not today"), std::string::npos) << error;
}

TEST_F(OciLauncherTest, AnExplanationReplacesTheLog) {
  const auto launcher = Make("echo riddle >&2; exit 1");
  const ProbeResult probe = Probe(*launcher);
  EXPECT_EQ(probe.reason, "an explanation");
  EXPECT_EQ(probe.fix, "a fix");
}

TEST_F(OciLauncherTest, AHangingCommandEndsAtTheDeadlineWithItsChildren) {
  // The child in the background would make state after the clean-up.
  const auto launcher = Make("(sleep 1; mkdir -p " + (guest_dir_ / "state").string() +
                             ") & echo waiting >&2; sleep 30");
  const std::string error = LaunchError(*launcher, Deadline::In(std::chrono::milliseconds(300)));
  EXPECT_NE(error.find("did not end in time"), std::string::npos) << error;
  EXPECT_NE(error.find("waiting"), std::string::npos) << error;
  usleep(1'200'000);
  EXPECT_FALSE(std::filesystem::exists(guest_dir_ / "state"));
}

TEST_F(OciLauncherTest, SuccessWithoutAProcessIsAnError) {
  const auto launcher = Make("exit 0");
  EXPECT_NE(LaunchError(*launcher, Soon()).find("no process id"), std::string::npos);
}

TEST_F(OciLauncherTest, AVersionThatFailsIsAReason) {
  OciRuntime runtime;
  runtime.command = "false";
  runtime.install_fix = "write one";
  const auto launcher = MakeOciLauncher({"fake", "/bin/false", {}}, runtime);
  const ProbeResult probe = launcher->Probe(ProbeDepth::kShallow, {});
  EXPECT_FALSE(probe.usable);
  EXPECT_EQ(probe.fix, "write one");
}

TEST(ParseVersion, TakesTheLastWordOfTheFirstLine) {
  EXPECT_EQ(ParseVersion("runc version 1.1.5+ds1\ncommit: 1.1.5\n"), "1.1.5+ds1");
  EXPECT_EQ(ParseVersion("crun version 1.8.1\n"), "1.8.1");
  EXPECT_EQ(ParseVersion(""), "");
}

}  // namespace
}  // namespace hvbench
