// The OCI bundle of a guest (github.com/opencontainers/runtime-spec): config.json and a root file
// system that holds the agent and nothing else.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime_launchers/launcher.h"

namespace hvbench {

// The agent's path, its scratch directory and the host's directory inside the guest.
inline constexpr char kGuestAgent[] = "/hvbench-agent";
inline constexpr char kGuestScratch[] = "/scratch";
inline constexpr char kGuestVolume[] = "/volume";

// The arguments of a container's agent, behind its path.
std::vector<std::string> ContainerAgentArguments(const LaunchRequest& request);

// The agent's copy in `bundle`.
std::filesystem::path AgentOfBundle(const std::filesystem::path& bundle);

// Makes `bundle` for `request`, with `agent_arguments` behind the agent's path.
void WriteOciBundle(const std::filesystem::path& bundle, const LaunchRequest& request,
                    const std::vector<std::string>& agent_arguments);

}  // namespace hvbench
