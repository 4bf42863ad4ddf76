// What the Linux in a virtual machine needs to boot into the agent, whichever VMM made the machine:
// its disks, its modules, and the parameters of its kernel and of the agent.
#pragma once

#include <filesystem>
#include <optional>
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

// A machine, as far as its guest sees it.
struct GuestMachine {
  bool has_pci = false;       // else virtio devices are told on the command line or by ACPI (MMIO)
  std::string bridge_module;  // of the device by which the agent is reached
  std::string bridge_option;  // what the agent is told of it: "--vsock=1024"
  std::string kernel_parameters;  // for this machine alone, such as how it is reset: "reboot=t"
  std::vector<GuestDisk> disks;
  std::optional<GuestNetwork> network;
};

// The drivers that the machine's devices need (GuestImageStore::Provide).
std::vector<std::string> GuestModules(const GuestMachine& machine);

// The guest kernel's parameters, and behind "--" those of the agent, which is its first process.
std::string GuestCommandLine(const GuestMachine& machine);

}  // namespace hvbench
