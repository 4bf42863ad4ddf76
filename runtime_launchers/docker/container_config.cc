#include "runtime_launchers/docker/container_config.h"

#include <sys/resource.h>

#include <vector>

#include "runtime_launchers/oci/bundle.h"
#include "runtime_launchers/support/cgroup_base.h"
#include "runtime_launchers/support/cpu_set.h"
#include "runtime_launchers/support/process_state.h"

namespace hvbench {
namespace {

// Docker knows no limit of the address space, and has -1 for none.
Json UlimitsOf(const std::vector<ResourceLimit>& limits) {
  Json ulimits = Json::array();
  for (const ResourceLimit& limit : limits) {
    if (limit.resource == RLIMIT_AS) continue;
    ulimits.push_back({{"Name", limit.name},
                       {"Soft", static_cast<std::int64_t>(limit.soft)},
                       {"Hard", static_cast<std::int64_t>(limit.hard)}});
  }
  return ulimits;
}

}  // namespace

// systemd wants a slice's name where the other driver takes a path.
std::string ContainerParentGroup(const DaemonInfo& info, const std::string& guest_cgroup) {
  return info.UsesSystemd()
             ? "hvbench.slice"
             : CgroupsPathOf(std::filesystem::path(guest_cgroup).parent_path().string());
}

Json ContainerConfig(const LaunchRequest& request, const DaemonInfo& info,
                     const std::string& oci_runtime, const std::string& image) {
  const std::int64_t memory_bytes = request.shape.memory_mib << 20;
  Json host_config = {{"CpusetCpus", FormatCpuList(request.shape.host_cpus)},
                      {"Memory", memory_bytes},
                      {"MemorySwap", memory_bytes},
                      {"NetworkMode", "none"},
                      // Else a daemon's own default puts docker-init before the agent.
                      {"Init", false},
                      {"Runtime", oci_runtime},
                      {"CgroupParent", ContainerParentGroup(info, request.cgroup)},
                      {"SecurityOpt", {"no-new-privileges"}},
                      {"Tmpfs", {{"/tmp", ""}}},
                      {"OomScoreAdj", kStatedOomScoreAdj},
                      // Any other driver would write every message of the bridge to the disk.
                      {"LogConfig", {{"Type", "none"}}}};
  // A rootless daemon may raise no limits, and its are not known here.
  if (!info.rootless) host_config["Ulimits"] = UlimitsOf(GuestLimits());
  Json mounts = Json::array();
  const auto bind = [&](const std::filesystem::path& source, const char* target, bool read_only) {
    mounts.push_back({{"Type", "bind"},
                      {"Source", source.string()},
                      {"Target", target},
                      {"ReadOnly", read_only}});
  };
  if (!request.volume_dir.empty()) bind(request.volume_dir, kGuestVolume, false);
  // An image of hundreds of MiB is not to be made anew for each agent.
  if (request.application) bind(std::filesystem::absolute(request.agent), kGuestAgent, true);
  if (!mounts.empty()) host_config["Mounts"] = mounts;
  return {{"Image", image},
          {"Entrypoint", {kGuestAgent}},
          {"Cmd", ContainerAgentArguments(request)},
          {"Env", AgentEnvironment()},
          {"WorkingDir", "/"},
          {"Hostname", "hvbench"},
          {"Labels", {{"org.hvbench", "1"}}},
          {"Tty", false},
          {"AttachStdin", true},
          {"AttachStdout", true},
          {"AttachStderr", true},
          {"OpenStdin", true},
          {"StdinOnce", true},
          {"HostConfig", host_config}};
}

}  // namespace hvbench
