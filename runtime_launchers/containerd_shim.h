// containerd's shims: one process a container, which starts it and relays its streams.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "runtime_launchers/support/cgroup.h"

namespace hvbench {

// The shim that serves a container, by the identifier on its command line.
std::optional<pid_t> FindShim(const std::string& container_id);

// Puts a process and all its descendants into a control group: a VM's shim with the VMM and the
// daemons that serve it, wherever the shim has put their threads.
void MoveProcessTree(pid_t root, const Cgroup& cgroup);

}  // namespace hvbench
