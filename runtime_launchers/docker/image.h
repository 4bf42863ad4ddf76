// The Docker images of the agent and of the applications, imported by the suite itself.
#pragma once

#include <filesystem>
#include <string>

#include "runtime_launchers/docker/engine.h"
#include "runtime_launchers/guest_application.h"
#include "runtime_launchers/support/deadline.h"

namespace hvbench {

// Imports "hvbench-agent:<hash of the agent>" unless the daemon has it. Returns that reference.
std::string EnsureAgentImage(const DockerEngine& engine, const std::filesystem::path& agent,
                             Deadline deadline);

// The same for the applications' root file system, without the agent: "hvbench-application:<id>".
std::string EnsureApplicationImage(const DockerEngine& engine, const GuestApplication& application,
                                   Deadline deadline);

// The agent in the first image, as a file of the host. Throws CannotRunHere where the daemon's
// storage driver does not say where it is.
std::filesystem::path AgentOfImage(const DockerEngine& engine, const std::string& reference,
                                   Deadline deadline);

}  // namespace hvbench
