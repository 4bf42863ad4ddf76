#include "runtime_launchers/oci/bundle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/json.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

using Json = nlohmann::json;

LaunchRequest RequestFor(const std::filesystem::path& agent) {
  LaunchRequest request;
  request.guest_id = "guest-1";
  request.cgroup = "/hvbench-run/guest-1";
  request.agent = agent;
  request.shape = {2, 128, {0, 3}};
  return request;
}

TEST(OciBundle, HoldsTheAgentAndTheLimits) {
  const TemporaryDir dir;
  const std::filesystem::path agent = dir.path() / "agent";
  std::ofstream(agent) << "program";
  const std::filesystem::path bundle = dir.path() / "bundle";
  WriteOciBundle(bundle, RequestFor(agent), {"--stdio"});

  std::string content;
  std::getline(std::ifstream(bundle / "rootfs/hvbench-agent"), content);
  EXPECT_EQ(content, "program");
  EXPECT_TRUE(std::filesystem::is_directory(bundle / "rootfs/scratch"));

  const Json config = Json::parse(std::ifstream(bundle / "config.json"));
  EXPECT_EQ(config["process"]["args"], (Json{"/hvbench-agent", "--stdio"}));
  EXPECT_EQ(config["process"]["noNewPrivileges"], true);
  EXPECT_EQ(config["process"]["terminal"], false);
  EXPECT_EQ(config["linux"]["cgroupsPath"], "/hvbench-run/guest-1");
  const Json& resources = config["linux"]["resources"];
  EXPECT_EQ(resources["cpu"]["cpus"], "0,3");
  EXPECT_EQ(resources["memory"]["limit"], 128 * 1024 * 1024);
  EXPECT_EQ(resources["memory"]["swap"], 128 * 1024 * 1024);
}

TEST(OciBundle, MayHaveTheApplicationsAsItsRoot) {
  const TemporaryDir dir;
  const std::filesystem::path agent = dir.path() / "agent";
  std::ofstream(agent) << "program";
  LaunchRequest request = RequestFor(agent);
  request.application.emplace().root = dir.path() / "application";
  std::filesystem::create_directories(request.application->root / "usr");
  WriteOciBundle(dir.path() / "bundle", request, ContainerAgentArguments(request));
  EXPECT_TRUE(std::filesystem::exists(request.application->root / "hvbench-agent"));
  const Json config = Json::parse(std::ifstream(dir.path() / "bundle/config.json"));
  EXPECT_EQ(config["root"]["path"], request.application->root.string());
  EXPECT_EQ(config["process"]["args"].back(), "--application=/");
}

// As a runtime whose containers are virtual machines needs them.
TEST(OciBundle, HasTheAnnotationsAndDevicesThatARuntimeWants) {
  const TemporaryDir dir;
  const std::filesystem::path agent = dir.path() / "agent";
  std::ofstream(agent) << "program";
  const std::filesystem::path bundle = dir.path() / "bundle";
  WriteOciBundle(bundle, RequestFor(agent), {}, {{{"run.oci.handler", "krun"}}, {"/dev/null"}});
  const Json config = Json::parse(std::ifstream(bundle / "config.json"));
  EXPECT_EQ(config["annotations"], (Json{{"run.oci.handler", "krun"}}));
  const Json& device = config["linux"]["devices"].at(0);
  EXPECT_EQ(device["path"], "/dev/null");
  EXPECT_EQ(device["type"], "c");
  EXPECT_EQ(device["major"], 1);
  EXPECT_EQ(device["minor"], 3);
  const Json& rules = config["linux"]["resources"]["devices"];
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0]["allow"], false) << "all others are refused";
  EXPECT_EQ(rules[1]["allow"], true);
  EXPECT_EQ(rules[1]["minor"], 3);

  WriteOciBundle(dir.path() / "plain", RequestFor(agent), {});
  const Json plain = Json::parse(std::ifstream(dir.path() / "plain/config.json"));
  EXPECT_FALSE(plain.contains("annotations"));
  EXPECT_FALSE(plain["linux"].contains("devices"));
  for (const char* other : {"/dev/nothing", "/proc/version"}) {
    const std::filesystem::path refused = dir.path() / std::filesystem::path(other).filename();
    EXPECT_THROW(WriteOciBundle(refused, RequestFor(agent), {}, {{}, {other}}), Error) << other;
  }
}

TEST(OciBundle, GrantsDockersCapabilitiesAndNoMore) {
  const TemporaryDir dir;
  const std::filesystem::path agent = dir.path() / "agent";
  std::ofstream(agent) << "program";
  WriteOciBundle(dir.path() / "bundle", RequestFor(agent), {});
  const Json config = Json::parse(std::ifstream(dir.path() / "bundle/config.json"));
  const Json& capabilities = config["process"]["capabilities"];
  EXPECT_EQ(capabilities["bounding"].size(), 14u);
  EXPECT_EQ(capabilities["bounding"], capabilities["effective"]);
  EXPECT_FALSE(capabilities.contains("ambient"));
  for (const Json& capability : capabilities["bounding"]) {
    EXPECT_NE(capability, "CAP_SYS_ADMIN");
  }
  const Json& namespaces = config["linux"]["namespaces"];
  for (const char* type : {"pid", "ipc", "uts", "mount", "network"}) {
    EXPECT_TRUE(std::any_of(namespaces.begin(), namespaces.end(), [&](const Json& entry) {
      return entry["type"] == type && !entry.contains("path");
    })) << type;
  }
}

TEST(OciBundle, MountsTheHostsDirectoryIfThereIsOne) {
  const TemporaryDir dir;
  const std::filesystem::path agent = dir.path() / "agent";
  std::ofstream(agent) << "program";
  for (const char* volume : {"", "/some/volume"}) {
    LaunchRequest request = RequestFor(agent);
    request.volume_dir = volume;
    const std::filesystem::path bundle =
        dir.path() / ("bundle" + request.volume_dir.filename().string());
    const std::vector<std::string> arguments = ContainerAgentArguments(request);
    WriteOciBundle(bundle, request, arguments);
    const Json config = Json::parse(std::ifstream(bundle / "config.json"));
    const Json& mounts = config["mounts"];
    const auto mount = std::find_if(mounts.begin(), mounts.end(), [](const Json& entry) {
      return entry["destination"] == "/volume";
    });
    const bool told = arguments.back() == "--volume=/volume";
    EXPECT_EQ(told, *volume != '\0');
    ASSERT_EQ(mount != mounts.end(), told);
    if (told) {
      EXPECT_EQ((*mount)["source"], volume);
      EXPECT_EQ((*mount)["type"], "bind");
    }
  }
}

TEST(OciBundle, JoinsTheNetworkNamespaceThatItIsGiven) {
  const TemporaryDir dir;
  const std::filesystem::path agent = dir.path() / "agent";
  std::ofstream(agent) << "program";
  LaunchRequest request = RequestFor(agent);
  request.network.emplace().network_namespace = "/run/x/network";
  WriteOciBundle(dir.path() / "bundle", request, {});
  const Json config = Json::parse(std::ifstream(dir.path() / "bundle/config.json"));
  const Json& namespaces = config["linux"]["namespaces"];
  EXPECT_EQ(std::count(namespaces.begin(), namespaces.end(),
                       Json({{"type", "network"}, {"path", "/run/x/network"}})),
            1);
  EXPECT_EQ(namespaces.size(), 5u);
}

TEST(OciBundle, AMissingAgentIsNamed) {
  const TemporaryDir dir;
  try {
    WriteOciBundle(dir.path() / "bundle", RequestFor("/nonexistent/agent"), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/nonexistent/agent"), std::string::npos);
  }
}

}  // namespace
}  // namespace hvbench
