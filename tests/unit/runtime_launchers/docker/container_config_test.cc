#include "runtime_launchers/docker/container_config.h"

#include <gtest/gtest.h>

#include "runtime_launchers/support/cgroup_base.h"

namespace hvbench {
namespace {

LaunchRequest ContainerRequest() {
  LaunchRequest request;
  request.guest_id = "hvbench-7-1";
  request.cgroup = "/hvbench-7/1";
  request.agent = "/opt/agent";
  request.shape.vcpus = 2;
  request.shape.memory_mib = 3000;
  request.shape.host_cpus = {1, 2, 3, 7};
  return request;
}

DaemonInfo DaemonOf(const char* cgroup_driver) {
  DaemonInfo info;
  info.cgroup_driver = cgroup_driver;
  return info;
}

TEST(ContainerConfig, TheGuestHasItsCpusItsMemoryAndNoSwap) {
  const Json config = ContainerConfig(ContainerRequest(), DaemonOf("cgroupfs"), "runsc", "i:1");
  const Json& host = config.at("HostConfig");
  EXPECT_EQ(host.at("CpusetCpus"), "1-3,7");
  EXPECT_EQ(host.at("Memory"), std::int64_t{3000} * 1024 * 1024) << "more than 31 bits";
  EXPECT_EQ(host.at("MemorySwap"), host.at("Memory"));
  EXPECT_EQ(host.at("Runtime"), "runsc");
  EXPECT_EQ(host.at("NetworkMode"), "none");
  EXPECT_FALSE(host.contains("Mounts"));
  EXPECT_EQ(config.at("Image"), "i:1");
}

TEST(ContainerConfig, TheParentGroupIsNamedAsTheDriverWantsIt) {
  const std::string cgroup = "/hvbench-7/1";
  EXPECT_EQ(ContainerParentGroup(DaemonOf("cgroupfs"), cgroup), CgroupBase() + "/hvbench-7");
  // systemd takes nothing with a slash, and only what ends in ".slice".
  const std::string slice = ContainerParentGroup(DaemonOf("systemd"), cgroup);
  EXPECT_TRUE(slice.ends_with(".slice")) << slice;
  EXPECT_EQ(slice.find('/'), std::string::npos) << slice;
  for (const char* driver : {"cgroupfs", "systemd"}) {
    const DaemonInfo info = DaemonOf(driver);
    EXPECT_EQ(ContainerConfig(ContainerRequest(), info, "runc", "i")["HostConfig"]["CgroupParent"],
              ContainerParentGroup(info, cgroup));
  }
}

TEST(ContainerConfig, OnlyADaemonOfRootIsAskedToRaiseLimits) {
  DaemonInfo info = DaemonOf("systemd");
  const Json limits =
      ContainerConfig(ContainerRequest(), info, "runc", "i")["HostConfig"]["Ulimits"];
  ASSERT_FALSE(limits.empty());
  for (const Json& limit : limits) {
    EXPECT_NE(limit.at("Name"), "as") << "Docker refuses what it does not know";
    EXPECT_GE(limit.at("Hard"), -1) << limit;
  }
  info.rootless = true;
  EXPECT_FALSE(
      ContainerConfig(ContainerRequest(), info, "runc", "i").at("HostConfig").contains("Ulimits"));
}

TEST(ContainerConfig, TheVolumeIsWritableAndTheAgentOfAnApplicationIsNot) {
  LaunchRequest request = ContainerRequest();
  request.volume_dir = "/srv/volume";
  request.application.emplace();
  const Json config = ContainerConfig(request, DaemonOf("systemd"), "runc", "i");
  EXPECT_EQ(config.at("HostConfig").at("Mounts"), Json::parse(R"([
    {"Type": "bind", "Source": "/srv/volume", "Target": "/volume", "ReadOnly": false},
    {"Type": "bind", "Source": "/opt/agent", "Target": "/hvbench-agent", "ReadOnly": true}])"));
  EXPECT_EQ(config.at("Entrypoint"), Json::parse(R"(["/hvbench-agent"])"));
  const Json& arguments = config.at("Cmd");
  EXPECT_NE(std::find(arguments.begin(), arguments.end(), "--volume=/volume"), arguments.end())
      << arguments;
}

}  // namespace
}  // namespace hvbench
