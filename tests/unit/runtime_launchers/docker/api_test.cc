#include "runtime_launchers/docker/api.h"

#include <gtest/gtest.h>

#include "runtime_launchers/support/error.h"

namespace hvbench {
namespace {

using Json = nlohmann::json;

// GET /info, as far as it matters, of Docker 20.10.24 and 29.0.
const Json kInfo20 = Json::parse(R"({
  "ServerVersion": "20.10.24+dfsg1", "CgroupDriver": "cgroupfs", "CgroupVersion": "1",
  "Driver": "overlay2", "DockerRootDir": "/var/lib/docker",
  "Runtimes": {"io.containerd.runc.v2": {"path": "runc"},
               "io.containerd.runtime.v1.linux": {"path": "runc"}, "runc": {"path": "runc"}},
  "SecurityOptions": ["name=seccomp,profile=default"], "InitBinary": "docker-init"})");
const Json kInfo29 = Json::parse(R"({
  "ServerVersion": "29.0.1", "CgroupDriver": "systemd", "CgroupVersion": "2",
  "Driver": "overlayfs", "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
  "DockerRootDir": "/var/lib/docker",
  "Runtimes": {"io.containerd.runc.v2": {"path": "runc", "status": {
                 "org.opencontainers.runtime-spec.features": "{}"}},
               "runc": {"path": "runc", "status": {}},
               "wasm": {"runtimeType": "io.containerd.wasmedge.v1"}},
  "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin", "name=userns",
                      "name=cgroupns"], "Warnings": null})");

DaemonInfo WithRuntimes(const char* runtimes) {
  DaemonInfo info;
  info.runtimes = Json::parse(runtimes);
  return info;
}

TEST(DockerApi, DescriptionsOfOldAndNewDaemonsAreRead) {
  const DaemonInfo old = ParseDaemonInfo(kInfo20);
  EXPECT_EQ(old.version, "20.10.24+dfsg1");
  EXPECT_EQ(old.major_version(), 20);
  EXPECT_FALSE(old.UsesSystemd());
  EXPECT_EQ(old.storage_driver, "overlay2");
  EXPECT_EQ(old.root_dir, "/var/lib/docker");
  EXPECT_FALSE(old.remaps_users);
  EXPECT_FALSE(old.rootless);
  const DaemonInfo recent = ParseDaemonInfo(kInfo29);
  EXPECT_EQ(recent.major_version(), 29);
  EXPECT_TRUE(recent.UsesSystemd());
  EXPECT_TRUE(recent.remaps_users);
  EXPECT_EQ(ChooseOciRuntime(old, "runc").name, "runc");
  EXPECT_EQ(ChooseOciRuntime(recent, "runc").name, "runc");
  EXPECT_EQ(ChooseOciRuntime(recent, "runc").path, "runc");
  EXPECT_FALSE(WhyUnprovable(old));
  EXPECT_FALSE(WhyUnprovable(recent));
}

TEST(DockerApi, WhatIsMissingOrOfAnotherTypeIsNoFault) {
  for (const char* text :
       {"{}", "[]", "null", "3",
        R"({"ServerVersion": null, "CgroupDriver": 7, "Runtimes": null, "SecurityOptions": null})",
        R"({"Runtimes": {"runc": null}, "SecurityOptions": {"a": "b"}, "Driver": [1]})"}) {
    const DaemonInfo info = ParseDaemonInfo(Json::parse(text));
    EXPECT_EQ(info.version, "") << text;
    EXPECT_EQ(info.major_version(), 0);
    EXPECT_EQ(info.storage_driver, "");
    EXPECT_EQ(ChooseOciRuntime(info, "runsc").name, "");
  }
  EXPECT_EQ(NumberIn(Json::parse(R"({"a": "1"})"), "a", 5), 5);
  EXPECT_EQ(TextIn(Json(), "a"), "");
  EXPECT_FALSE(FlagIn(Json::parse(R"({"a": 1})"), "a"));
}

TEST(DockerApi, ADaemonWithoutControlGroupsIsRefused) {
  DaemonInfo info;
  info.cgroup_driver = "none";
  const auto unusable = WhyUnprovable(info);
  ASSERT_TRUE(unusable);
  EXPECT_NE(unusable->reason.find("cgroup driver 'none'"), std::string::npos);
  info.rootless = true;
  EXPECT_NE(WhyUnprovable(info)->fix.find("rootless"), std::string::npos);
}

TEST(DockerApi, TheRuntimeOfThatVeryNameWins) {
  const DaemonInfo info = WithRuntimes(
      R"({"a-runc-patched": {"path": "/opt/runc"}, "gvisor-kvm": {"path": "/usr/bin/runsc"},
          "runc": {"path": "runc"}, "runsc": {"path": "/usr/bin/runsc"},
          "runsc-ptrace": {"path": "/usr/bin/runsc"}})");
  EXPECT_EQ(ChooseOciRuntime(info, "runc").name, "runc");
  EXPECT_EQ(ChooseOciRuntime(info, "runsc").name, "runsc");
  EXPECT_EQ(NamedOciRuntime(info, "gvisor-kvm").path, "/usr/bin/runsc");
  EXPECT_EQ(NamedOciRuntime(info, "gvisor").name, "");
  EXPECT_EQ(NamedOciRuntime(info, "runc").all,
            "a-runc-patched, gvisor-kvm, runc, runsc, runsc-ptrace");
}

TEST(DockerApi, WithoutThatNameTheProgramDecides) {
  const DaemonInfo info = WithRuntimes(
      R"({"a-runsc-patched": {"path": "/opt/patched"}, "gvisor": {"path": "/usr/bin/runsc"}})");
  EXPECT_EQ(ChooseOciRuntime(info, "runsc").name, "gvisor");
  EXPECT_EQ(ChooseOciRuntime(WithRuntimes(R"({"my-kata": {"path": "/opt/k"}})"), "kata").name,
            "my-kata");
  // Docker's own name of a shim is the last resort.
  EXPECT_EQ(
      ChooseOciRuntime(WithRuntimes(R"({"io.containerd.runc.v2": {"path": "runc"}})"), "runc").name,
      "io.containerd.runc.v2");
}

TEST(DockerApi, SeveralThatFitEquallyAreNotGuessedAmong) {
  const OciRuntimeOfDaemon chosen = ChooseOciRuntime(
      WithRuntimes(R"({"gvisor": {"path": "/a/runsc"}, "gvisor-kvm": {"path": "/a/runsc"}})"),
      "runsc");
  EXPECT_EQ(chosen.name, "");
  EXPECT_EQ(chosen.ambiguous, "gvisor, gvisor-kvm");
}

TEST(DockerApi, TheStateOfAContainerIsRead) {
  const ContainerState running = ParseContainerState(Json::parse(
      R"({"State": {"Status": "running", "Running": true, "Pid": 4711, "ExitCode": 0}})"));
  EXPECT_TRUE(running.running);
  EXPECT_EQ(running.pid, 4711);
  const ContainerState ended = ParseContainerState(Json::parse(
      R"({"State": {"Status": "exited", "Running": false, "OOMKilled": true, "Pid": 0,
                    "ExitCode": 137, "Error": ""}})"));
  EXPECT_FALSE(ended.running);
  EXPECT_EQ(ended.pid, 0);
  EXPECT_EQ(ended.exit_code, 137);
  EXPECT_TRUE(ended.oom_killed);
  const ContainerState bare =
      ParseContainerState(Json::parse(R"({"State": {"Status": "running"}})"));
  EXPECT_TRUE(bare.running);
  EXPECT_EQ(bare.exit_code, -1);
  EXPECT_EQ(ParseContainerState(Json::parse(R"({"State": {"Pid": -5}})")).pid, 0);
  EXPECT_EQ(ParseContainerState(Json::parse(R"({"State": {"Pid": 99999999999}})")).pid, 0);
  for (const char* text : {"{}", "[]", R"({"State": null})", R"({"State": "running"})"}) {
    EXPECT_THROW(ParseContainerState(Json::parse(text)), Error) << text;
  }
}

}  // namespace
}  // namespace hvbench
