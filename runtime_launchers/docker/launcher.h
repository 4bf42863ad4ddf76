// A launcher of Docker containers, whatever OCI runtime the daemon runs them with. The option that
// a runtimes file may give: "runtime=NAME", one of the daemon's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime_launchers/docker/guest.h"
#include "runtime_launchers/launcher.h"

namespace hvbench {

// `wanted` is the OCI runtime's name, or a part of its name or path; of several that fit equally
// well none is taken. What the runtime differs in is said by the first of `kinds` whose program it
// is; it is an ordinary one if there is none.
std::unique_ptr<Launcher> MakeDockerLauncher(RuntimeOptions options, const std::string& wanted,
                                             std::vector<DockerRuntime> kinds);

}  // namespace hvbench
