// containerd's shims: one process a container, which starts it and relays its streams.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "runtime_launchers/containerd/client.h"
#include "runtime_launchers/support/cgroup.h"
#include "runtime_launchers/support/process.h"

namespace hvbench {

// The shim that serves a container and was started after `not_before`; nothing if there is none
// that can be proved to be it (identity.h). `child` is the container's process as far as it is
// known, or has none (Process()).
std::optional<Process> FindShim(const std::string& container_id, BootTicks not_before,
                                const Process& child);

// Removes a container with its task and its shim, whatever of them is there. `find_shim` is asked
// after containerd was; the shim that it gives is killed where it does not end by itself. Throws as
// ContainerdClient does, but not before the shim has ended, with which containerd is not needed.
void RemoveContainer(const std::string& container_id,
                     const std::function<std::optional<Process>()>& find_shim, Deadline deadline);

// Puts a process and all its descendants into a control group: a VM's shim with the VMM and the
// daemons that serve it, wherever the shim has put their threads.
void MoveProcessTree(const Process& root, const Cgroup& cgroup);

// What a shim that was killed leaves in the file system: unmounts all below `folder`, then removes
// it; keeps it where something stays mounted, which may be a folder of ours.
void RemoveMountedFolder(const std::filesystem::path& folder) noexcept;

}  // namespace hvbench
