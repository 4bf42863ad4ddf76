// The OCI bundle of a guest (github.com/opencontainers/runtime-spec): config.json and a root file
// system that holds the agent and nothing else.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime_launchers/launcher.h"

namespace hvbench {

// The agent's path and scratch directory inside the guest.
inline constexpr char kGuestAgent[] = "/hvbench-agent";
inline constexpr char kGuestScratch[] = "/scratch";

// Makes `bundle` for `request`, with `agent_arguments` behind the agent's path.
void WriteOciBundle(const std::filesystem::path& bundle, const LaunchRequest& request,
                    const std::vector<std::string>& agent_arguments);

}  // namespace hvbench
