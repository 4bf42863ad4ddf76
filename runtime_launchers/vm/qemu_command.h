// The command line of a QEMU guest. Each choice that costs or saves boot time has its figure in
// docs/vm-boot.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime_launchers/launcher.h"
#include "runtime_launchers/vm/guest_boot.h"

namespace hvbench {

struct QemuMachine {
  bool microvm = false;  // else q35
  bool kvm = false;      // else emulated (TCG)
};

// Out of RuntimeOptions::options. Throws Error for a word that is neither of these nor begins with
// '-' or follows one that does.
struct QemuOptions {
  explicit QemuOptions(const std::vector<std::string>& options);

  bool preallocate = false;  // "memory=preallocated"; "memory=on-demand" is the default
  bool use_vsock = true;     // "transport=virtio-serial": not even where it works
  std::vector<std::string> extra_arguments;  // for QEMU itself
};

// What one guest of QEMU has of its own.
struct QemuGuestFiles {
  explicit QemuGuestFiles(const std::filesystem::path& dir);

  std::filesystem::path monitor;  // unix socket: QMP
  std::filesystem::path bridge;   // unix socket: the virtio-serial port
  std::filesystem::path console;  // FIFO: what the guest kernel and the agent print
};

// What QEMU itself may use beyond the guest's memory, MiB. Measured: docs/vm-boot.md.
inline constexpr std::int64_t kQemuMemoryMib = 128;
// QEMU's default is 1 GiB, which no guest's limit could bear.
inline constexpr std::int64_t kTcgCacheMib = 128;

inline constexpr std::uint32_t kAgentVsockPort = 1024;

struct QemuPlan {
  QemuMachine machine;
  QemuOptions options{{}};
  GuestShape shape;
  GuestImage image;
  std::optional<GuestNetwork> network;
  bool vhost_net = false;       // the host's kernel moves the packets; else QEMU does
  std::int64_t tsc_khz = 0;     // of the host's clock; 0: unknown
  std::uint32_t vsock_cid = 0;  // 0: virtio-serial instead
  std::vector<GuestDisk> disks;
  bool direct_io = true;  // of the disks: past the host's page cache; not every file system can
  bool paused = false;    // the machine is made, and not run
};

// The drivers that the machine's devices need. `vsock`: instead of virtio-serial.
std::vector<std::string> QemuModules(const QemuPlan& plan, bool vsock);

// Without the binary's name.
std::vector<std::string> QemuArguments(const QemuPlan& plan, const QemuGuestFiles& files);

}  // namespace hvbench
