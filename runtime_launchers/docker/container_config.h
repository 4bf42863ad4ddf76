// What the daemon is asked for: the body of POST /containers/create.
#pragma once

#include <string>

#include "runtime_launchers/docker/api.h"
#include "runtime_launchers/launcher.h"
#include "runtime_launchers/support/json.h"

namespace hvbench {

// The control group in which the daemon makes the container's own, as its cgroup driver names it.
std::string ContainerParentGroup(const DaemonInfo& info, const std::string& guest_cgroup);

// A container of `image` whose first process is the agent, within the request's limits.
nlohmann::json ContainerConfig(const LaunchRequest& request, const DaemonInfo& info,
                               const std::string& oci_runtime, const std::string& image);

}  // namespace hvbench
