// A virtual machine of QEMU: one process in the guest's cgroup, steered over its monitor.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "runtime_launchers/vm/qemu_command.h"
#include "runtime_launchers/vm/qmp.h"
#include "runtime_launchers/vm/vmm_guest.h"

namespace hvbench {

class QemuGuest : public VmmGuest {
 public:
  // `plan` with all but the vsock address, which the guest chooses itself if `vsock`.
  QemuGuest(std::filesystem::path binary, QemuPlan plan, bool vsock, const LaunchRequest& request);
  ~QemuGuest() override { ForceDown(); }

  // Until the VMM runs and its vCPUs are where they belong.
  void Start(const LaunchRequest& request);

  // QEMU's own stop first, so that the guest's clocks and watchdogs know of it; then the cgroup's
  // freezer, for the VMM's own threads.
  void Freeze() override;
  void Thaw() override;
  void Shutdown(StopMode mode, Deadline deadline) override;
  // Waits for a VMM that has said that it ends: the bridge closes before the process is gone.
  std::string DeathReason() override;

 protected:
  std::string WhyDown() override { return monitor_.ShutdownReason(); }
  void RemoveRuntimeState(Deadline deadline) override;

 private:
  void Spawn(const LaunchRequest& request);
  void PinVcpus(const GuestShape& shape, Deadline deadline);

  QemuPlan plan_;
  QemuGuestFiles files_;
  QmpClient monitor_;
  bool stopped_ = false;
};

// Whether the host's kernel relays vsock, and packets, to its guests.
bool HostHasVsock();
bool HostHasVhostNet();

// Whether a file can be read past the page cache.
bool HasDirectIo(const std::filesystem::path& file);

}  // namespace hvbench
