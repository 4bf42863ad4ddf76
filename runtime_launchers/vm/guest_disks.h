// The block devices of a virtual machine, and what its agent is told of them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime_launchers/launcher.h"

namespace hvbench {

struct GuestDisk {
  std::filesystem::path file;  // raw, on the host
  std::string agent_option;    // "--disk=/dev/vda"
  bool has_ext4 = false;       // the guest needs the file system's driver
};

// In the order in which the machine must have its virtio-blk devices: the guest's kernel names them
// as it finds them.
std::vector<GuestDisk> GuestDisksOf(const LaunchRequest& request);

}  // namespace hvbench
