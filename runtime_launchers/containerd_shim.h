// containerd's shims: one process a container, which starts it and relays its streams.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "runtime_launchers/support/cgroup.h"

namespace hvbench {

// The shim that serves a container, by the identifier on its command line.
std::optional<pid_t> FindShim(const std::string& container_id);

// Puts a process and all its descendants into a control group: a VM's shim with the VMM and the
// daemons that serve it, wherever the shim has put their threads.
void MoveProcessTree(pid_t root, const Cgroup& cgroup);

// What a shim that was killed leaves in the file system: unmounts all below `folder`, then removes
// it; keeps it where something stays mounted, which may be a folder of ours.
void RemoveMountedFolder(const std::filesystem::path& folder) noexcept;

}  // namespace hvbench
