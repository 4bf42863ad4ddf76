// The OCI bundle of a guest (github.com/opencontainers/runtime-spec): config.json and a root file
// system that holds the agent and nothing else, or the agent and the applications.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runtime_launchers/launcher.h"

namespace hvbench {

// The agent's path, its scratch directory and the host's directory inside the guest.
inline constexpr char kGuestAgent[] = "/hvbench-agent";
inline constexpr char kGuestScratch[] = "/scratch";
inline constexpr char kGuestVolume[] = "/volume";

// Where a guest's bundle lies.
inline std::filesystem::path OciBundleIn(const std::filesystem::path& guest_dir) {
  return guest_dir / "bundle";
}

// The arguments of a container's agent, behind its path.
std::vector<std::string> ContainerAgentArguments(const LaunchRequest& request);

// The root file system: in `bundle`, or the one with the applications.
std::filesystem::path RootOfBundle(const std::filesystem::path& bundle,
                                   const LaunchRequest& request);
// The agent's copy in there.
std::filesystem::path AgentOfBundle(const std::filesystem::path& bundle,
                                    const LaunchRequest& request);

// What a runtime wants in config.json beyond what all guests have.
struct OciConfigExtras {
  std::map<std::string, std::string> annotations;
  // Devices of the host that the guest, or the VMM around it, may use: "/dev/kvm".
  std::vector<std::filesystem::path> devices;
};

// Makes `bundle` for `request`, with `agent_arguments` behind the agent's path. Throws Error, for
// example for a device that the host does not have.
void WriteOciBundle(const std::filesystem::path& bundle, const LaunchRequest& request,
                    const std::vector<std::string>& agent_arguments,
                    const OciConfigExtras& extras = {});

}  // namespace hvbench
