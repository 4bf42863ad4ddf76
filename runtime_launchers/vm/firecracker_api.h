// Firecracker's HTTP API, as far as it is used here. Paths in its requests are relative to the
// VMM's working directory, so that a snapshot can be restored in another one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime_launchers/support/deadline.h"
#include "runtime_launchers/support/http_unix.h"
#include "runtime_launchers/support/process.h"

namespace hvbench {

struct FirecrackerMachine {
  int vcpus = 1;
  std::int64_t memory_mib = 0;
  std::string guest_kernel;  // an uncompressed ELF file
  std::string initramfs;
  std::string kernel_parameters;
  std::string vsock_socket;        // the host's end of the vsock
  std::vector<std::string> disks;  // raw files, in the order of the guest's devices
  std::string io_engine;           // of the disks: "Sync" or "Async"
  std::string tap;                 // of its network device, in the VMM's namespace; "": it has none
  std::string mac;
};

// Every call throws Error with what the VMM says against it, TimedOut, or Interrupted where the
// client is interruptible.
class FirecrackerApi {
 public:
  FirecrackerApi(std::filesystem::path socket, bool interruptible)
      : client_(std::move(socket), interruptible), interruptible_(interruptible) {}

  // Returns when the VMM answers. Error if it ended instead.
  void AwaitAnswer(Process& vmm, Deadline deadline) const;
  // Configures the machine and starts its processors.
  void Start(const FirecrackerMachine& machine, Deadline deadline) const;
  void Pause(Deadline deadline) const;
  void Resume(Deadline deadline) const;
  // Writes a paused machine's state and its memory to two files.
  void CreateSnapshot(const std::string& state, const std::string& memory, Deadline deadline) const;
  // Into a VMM that was not configured; the machine runs afterwards.
  void LoadSnapshot(const std::string& state, const std::string& memory, Deadline deadline) const;
  // Has metrics written to a file, which must exist; before the machine is started.
  void SetMetricsFile(const std::string& file, Deadline deadline) const;
  // Appends a line of JSON to that file.
  void FlushMetrics(Deadline deadline) const;

 private:
  void Send(HttpMethod method, const std::string& target, const std::string& body,
            Deadline deadline) const;
  HttpUnixClient client_;
  bool interruptible_;
};

}  // namespace hvbench
