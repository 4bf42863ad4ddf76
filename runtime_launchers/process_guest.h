// What guests that are a process tree in a cgroup of the host have in common: all but the VMs'
// own devices. A launcher derives from it and adds what its runtime leaves behind.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime_launchers/launcher.h"
#include "runtime_launchers/support/bounded_log.h"
#include "runtime_launchers/support/cgroup.h"
#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/process_state.h"

namespace hvbench {

// How long a forced shutdown may take when the caller's deadline has passed already.
inline constexpr auto kForcedStopTimeout = std::chrono::seconds(10);

class ProcessGuest : public Guest {
 public:
  Endpoint TakeEndpoint() override;
  int DeathFd() const override { return process_.pidfd(); }
  LaunchPhases Phases() const override { return phases_; }
  std::map<std::string, std::string> Facts() const override { return facts_; }
  void Freeze() override;
  void Thaw() override;
  std::chrono::nanoseconds HostCpu() override;
  GuestMemory Memory() override;
  std::string ConsoleTail() override;
  std::string DeathReason() override;
  void Shutdown(StopMode mode, Deadline deadline) override;

 protected:
  // Removes the runtime's record of the guest, whose main process has ended; where the runtime is
  // in the group, also that process and itself, and it may be called again.
  virtual void RemoveRuntimeState(Deadline) {}
  // Processes outside of the cgroup that serve this guest alone.
  virtual std::vector<pid_t> HelperProcesses() const { return {}; }
  // How the main process ended; called once, while the runtime still knows the guest.
  virtual std::string DescribeDeath(const ExitStatus& status);
  // A log of this guest, of which ConsoleTail tells behind those that were added before.
  BoundedLog& AddLog() { return *logs_.emplace_back(std::make_unique<BoundedLog>()); }
  BoundedLog& AddLog(const std::filesystem::path& fifo) {
    return *logs_.emplace_back(std::make_unique<BoundedLog>(fifo));
  }
  // For the destructors of derived classes: their RemoveRuntimeState must still exist.
  void ForceDown() noexcept;

  Process process_;               // the guest's main process on the host
  std::optional<Cgroup> cgroup_;  // nothing: this user may not make one
  // Holds the commands that launched the guest, for their CPU time; nothing where there are none.
  std::optional<Cgroup> launch_cgroup_;
  std::optional<Endpoint> endpoint_;
  LaunchPhases phases_;
  std::map<std::string, std::string> facts_;
  std::int64_t memory_mib_ = 0;
  // What of the host's memory is the guest's own. Neither set: all of the main process, and nothing
  // of the others.
  std::string guest_memory_file_;     // a sandbox's: its memfd_create(2) file of this name
  std::int64_t guest_ram_bytes_ = 0;  // a VM's: each mapping that is at least as large
  // The process that started the guest is in its group too: killed with the rest, it would leave
  // behind what it alone removes.
  bool runtime_in_cgroup_ = false;

 private:
  std::vector<pid_t> OutsideCgroup() const;
  std::int64_t GuestPss(pid_t pid) const;

  std::vector<std::unique_ptr<BoundedLog>> logs_;
  bool down_ = false;
  bool frozen_ = false;
  std::string death_reason_;
};

}  // namespace hvbench
