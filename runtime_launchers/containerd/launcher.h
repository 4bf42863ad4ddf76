// Runtimes that containerd starts, through its API and a shim. One adapter for all of them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime_launchers/containerd/guest.h"
#include "runtime_launchers/launcher.h"
#include "runtime_launchers/oci/launcher.h"

namespace hvbench {

// What tells one such runtime from another.
struct ContainerdRuntime {
  // Whether it can work on this machine, without starting a guest; fills in its version.
  std::function<std::optional<Unusable>(std::string& version)> check;
  // Writes what the shim needs into the guest's folder. Throws Error where something is missing.
  std::function<ContainerdTask(const LaunchRequest& request)> prepare;
  // Optional: ContainerdTask::shim_folders of a guest.
  std::function<std::vector<std::filesystem::path>(const std::string& guest_id)> shim_folders;
  NetworkDevice network_device = NetworkDevice::kVeth;
  // What the trial guest gets, which has no other limits.
  std::int64_t trial_memory_mib = 0;  // 0: no limit
  std::chrono::seconds trial_timeout{30};
};

std::unique_ptr<Launcher> MakeContainerdLauncher(RuntimeOptions options, ContainerdRuntime runtime);

// An OCI command under containerd's own shim.
ContainerdRuntime OnRuncShim(const RuntimeOptions& options, const OciRuntime& runtime);

}  // namespace hvbench
