// Network devices in other namespaces, by iproute2's `ip`.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "runtime_launchers/support/deadline.h"
#include "runtime_launchers/support/guest_network.h"

namespace hvbench {

// Runs `ip` with these arguments in that namespace. Throws Error with what it printed if it fails,
// or is not installed.
void RunIp(const std::filesystem::path& network_namespace,
           const std::vector<std::string>& arguments, Deadline deadline);

// Gives the device, which is in `network_namespace` by now, its address, and brings it up together
// with loopback.
void SetUpDevice(const std::filesystem::path& network_namespace, const GuestNetwork& network,
                 Deadline deadline);

// For runtimes that make the guest's namespace themselves: moves the device into that of process
// `pid` and sets it up there.
void MoveDeviceTo(pid_t pid, const GuestNetwork& network, Deadline deadline);

}  // namespace hvbench
