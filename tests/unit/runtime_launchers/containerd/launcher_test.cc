// The launcher for containerd's runtimes against a containerd that is made up.
#include "runtime_launchers/containerd/launcher.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <thread>

#include "runtime_launchers/oci/bundle.h"
#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/process.h"
#include "tests/support/environment_variable.h"
#include "tests/unit/runtime_launchers/support/fake_grpc_server.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

const std::string kVersionReply =
    "\x0a\x06"
    "1.7.24";  // field 1, 6 bytes

class ContainerdLauncherTest : public ::testing::Test {
 protected:
  void Serve(std::vector<FakeGrpcAnswer> answers) {
    daemon_.reset();
    daemon_ = std::make_unique<FakeGrpcServer>(std::move(answers));
    address_.reset();
    address_ = std::make_unique<EnvironmentVariable>("CONTAINERD_ADDRESS", daemon_->path());
  }

  static std::unique_ptr<Launcher> Make(std::optional<Unusable> problem = {}) {
    ContainerdRuntime runtime;
    runtime.check = [problem](std::string& version) {
      version = "runtime 1.2";
      return problem;
    };
    return MakeContainerdLauncher({"containerd-x", "", {}}, std::move(runtime));
  }

  static ProbeResult Probe(Launcher& launcher) { return launcher.Probe(ProbeDepth::kShallow, {}); }

  const TemporaryDir dir_;
  std::unique_ptr<FakeGrpcServer> daemon_;
  std::unique_ptr<EnvironmentVariable> address_;
};

TEST_F(ContainerdLauncherTest, TheVersionIsOfTheDaemonAndOfTheRuntime) {
  Serve({GrpcReplyOf(kVersionReply)});
  const ProbeResult probe = Probe(*Make());
  EXPECT_TRUE(probe.usable) << probe.reason;
  EXPECT_EQ(probe.version, "1.7.24 with runtime 1.2");
}

TEST_F(ContainerdLauncherTest, WithoutTheRuntimeTheDaemonIsNotAsked) {
  Serve({GrpcReplyOf(kVersionReply)});
  const ProbeResult probe = Probe(*Make(Unusable{"no shim", "get one"}));
  EXPECT_EQ(probe.reason, "no shim");
  EXPECT_EQ(probe.fix, "get one");
  EXPECT_TRUE(daemon_->calls().empty());
}

TEST_F(ContainerdLauncherTest, AnAbsentDaemonIsTakenForNoOtherFault) {
  Serve({GrpcRefusal(14, "plugin failed")});
  const ProbeResult refused = Probe(*Make());
  EXPECT_NE(refused.reason.find("plugin failed"), std::string::npos) << refused.reason;
  EXPECT_EQ(refused.reason.find("no containerd answers"), std::string::npos) << refused.reason;
  const ProbeResult absent = Probe(*Make());  // that was the only answer
  EXPECT_NE(absent.reason.find("no containerd answers"), std::string::npos) << absent.reason;
  EXPECT_NE(absent.fix.find("CONTAINERD_ADDRESS"), std::string::npos) << absent.fix;
  Serve({GrpcReplyOf("\xff\xff")});
  EXPECT_FALSE(Probe(*Make()).usable);
}

// One that was killed has the container when it comes back; one whose socket is gone has not.
TEST_F(ContainerdLauncherTest, OfAKilledDaemonAStaleContainerIsNotGone) {
  const auto launcher = Make();
  {
    FakeSocket killed;
    killed.Close();
    const EnvironmentVariable address("CONTAINERD_ADDRESS", killed.path());
    EXPECT_THROW(launcher->RemoveStale("hvbench-none-1", dir_.path()), SystemError);
  }
  const EnvironmentVariable address("CONTAINERD_ADDRESS", "/nonexistent/containerd.sock");
  EXPECT_NO_THROW(launcher->RemoveStale("hvbench-none-1", dir_.path()));
  EXPECT_NO_THROW(launcher->RemoveCaches());
}

TEST_F(ContainerdLauncherTest, FoldersOfAStaleGuestAreRemovedWithoutItsDaemon) {
  const std::filesystem::path folder = dir_.path() / "state";
  std::filesystem::create_directories(folder / "sub");
  std::ofstream(folder / "sub" / "file") << "left";
  ContainerdRuntime runtime;
  runtime.shim_folders = [&](const std::string& guest_id) {
    EXPECT_EQ(guest_id, "hvbench-none-1");
    return std::vector<std::filesystem::path>{folder, dir_.path() / "none"};
  };
  const EnvironmentVariable address("CONTAINERD_ADDRESS", "/nonexistent/containerd.sock");
  MakeContainerdLauncher({"containerd-x", "", {}}, runtime)
      ->RemoveStale("hvbench-none-1", dir_.path() / "guest");
  EXPECT_FALSE(std::filesystem::exists(folder));
}

// A shim that starts only now, since containerd goes on with what a killed program asked it for.
TEST_F(ContainerdLauncherTest, AStaleShimThatIsStillBeingMadeIsWaitedFor) {
  namespace fs = std::filesystem;
  const std::string id = "hvbench-late-" + std::to_string(getpid());
  const fs::path guest_dir = dir_.path() / "guest";
  const fs::path config = OciBundleIn(guest_dir) / "config.json";
  const fs::path shim = dir_.path() / "containerd-shim-late-v2";
  fs::create_directories(config.parent_path());
  fs::create_directory(dir_.path() / id);
  fs::copy_file(fs::canonical("/bin/sh"), shim);
  const FakeGrpcAnswer none = GrpcRefusal(kGrpcNotFound, "not found");
  const std::vector<FakeGrpcAnswer> answers(7, none);  // two removals and the namespace's
  Serve(answers);
  std::ofstream(config) << "{}";
  Process late;
  std::thread containerd([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    SpawnOptions options;
    options.working_dir = dir_.path() / id;
    options.die_with_parent = false;  // this thread ends before
    late = Process::Spawn({shim, "-c", "sleep 60; :", "-id", id}, options);
  });
  Make()->RemoveStale(id, guest_dir);
  containerd.join();
  EXPECT_TRUE(late.Wait(Deadline::In(std::chrono::seconds(1)))) << "it lives";
  EXPECT_EQ(daemon_->methods(), (std::vector<std::string>{"Kill", "Delete", "Delete", "Kill",
                                                          "Delete", "Delete", "Delete"}));
  // One that was asked for long ago will not come: nobody waits.
  fs::last_write_time(config, fs::file_time_type::clock::now() - std::chrono::minutes(1));
  Serve(answers);
  const Deadline at_once = Deadline::In(std::chrono::seconds(2));
  Make()->RemoveStale(id, guest_dir);
  EXPECT_FALSE(at_once.Passed());
  EXPECT_EQ(daemon_->methods().size(), 4);
}

// The shim runs one program without arguments of ours, so options are in a script before it.
TEST_F(ContainerdLauncherTest, OptionsOfAnOciCommandReachItAsTheyAre) {
  const std::filesystem::path command = dir_.path() / "fake-runtime";
  std::ofstream(command) << "#!/bin/sh\nfor word; do echo \"[$word]\"; done\n";
  std::filesystem::permissions(command, std::filesystem::perms(0755));
  OciRuntime oci;
  oci.command = "fake-runtime";
  oci.facts["accelerator"] = "none";
  const RuntimeOptions options = {"containerd-x", command, {"--root=it's $HOME", "--debug"}};
  LaunchRequest request;
  request.guest_dir = dir_.path();
  const ContainerdTask task = OnRuncShim(options, oci).prepare(request);
  EXPECT_EQ(task.runtime, "io.containerd.runc.v2");
  EXPECT_EQ(task.facts.at("accelerator"), "none");
  EXPECT_EQ(task.facts.at("binary_sha256").size(), 64);
  const std::string program = (dir_.path() / "oci-runtime").string();
  EXPECT_EQ(task.runtime_options.bytes, RuncShimOptions(program).bytes);
  const CommandResult result =
      RunCommand({program, "create", "a b"}, Deadline::In(std::chrono::seconds(10)));
  EXPECT_EQ(result.output, "[--root=it's $HOME]\n[--debug]\n[create]\n[a b]\n");
  const ContainerdTask plain = OnRuncShim({"containerd-x", command, {}}, oci).prepare(request);
  EXPECT_EQ(plain.runtime_options.bytes, RuncShimOptions(command).bytes);
}

}  // namespace
}  // namespace hvbench
