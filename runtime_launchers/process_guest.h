// What guests that are a process tree in a cgroup of the host have in common: all but the VMs'
// own devices. A launcher derives from it and adds what its runtime leaves behind.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime_launchers/launcher.h"
#include "runtime_launchers/support/bounded_log.h"
#include "runtime_launchers/support/cgroup.h"
#include "runtime_launchers/support/clock.h"
#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/process_state.h"

namespace hvbench {

// How long a forced shutdown may take when the caller's deadline has passed already.
inline constexpr auto kForcedStopTimeout = std::chrono::seconds(10);

// What a launcher knows of its guest, beyond what the guest's processes tell.
struct GuestTraits {
  std::int64_t memory_mib = 0;  // its limit, of which the reason of a death tells
  // What of the host's memory is the guest's own. Neither set: all of the main process, and nothing
  // of the others.
  std::string memory_file{};   // a sandbox's: its memfd_create(2) file of this name
  std::int64_t ram_bytes = 0;  // a VM's: each mapping that is at least as large
  // The process that started the guest is in its group too: killed with the rest, it would leave
  // behind what it alone removes.
  bool runtime_in_cgroup = false;
};

// A derived class says what its guest is (SetTraits, AddFacts), and as it launches it, what belongs
// to the guest (AdoptCgroup, AdoptProcess, AddLog), when it was launched (NoteLaunchCalled,
// NoteProcessStarted) and how its agent is reached (SetEndpoint). Its destructor calls ForceDown.
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

  void SetTraits(GuestTraits traits) { traits_ = std::move(traits); }
  const GuestTraits& traits() const { return traits_; }
  // For the JSON's context. A fact that is there is replaced.
  void AddFacts(const std::map<std::string, std::string>& facts);

  // All that is adopted is frozen, measured and ended with the guest.
  // The guest's main process on the host.
  Process& AdoptProcess(Process process) { return process_ = std::move(process); }
  Process& process() { return process_; }
  // The group of the guest's processes.
  const Cgroup& AdoptCgroup(Cgroup cgroup) { return cgroup_.emplace(std::move(cgroup)); }
  const Cgroup* cgroup() const { return cgroup_ ? &*cgroup_ : nullptr; }
  // A group of the commands that launch the guest, for their CPU time.
  const Cgroup& AdoptLaunchCgroup(Cgroup cgroup) {
    return launch_cgroup_.emplace(std::move(cgroup));
  }
  const Cgroup* launch_cgroup() const { return launch_cgroup_ ? &*launch_cgroup_ : nullptr; }

  void NoteLaunchCalled() { phases_.launch_called_ns = MonotonicRawNs(); }
  void NoteProcessStarted() { phases_.process_started_ns = MonotonicRawNs(); }
  void SetEndpoint(Endpoint endpoint) { endpoint_ = std::move(endpoint); }

 private:
  std::vector<pid_t> OutsideCgroup() const;
  std::int64_t GuestPss(pid_t pid) const;

  GuestTraits traits_;
  std::map<std::string, std::string> facts_;
  Process process_;
  std::optional<Cgroup> cgroup_;  // nothing: this user may not make one
  std::optional<Cgroup> launch_cgroup_;
  LaunchPhases phases_;
  std::optional<Endpoint> endpoint_;
  std::vector<std::unique_ptr<BoundedLog>> logs_;
  bool down_ = false;
  bool frozen_ = false;
  std::string death_reason_;
};

}  // namespace hvbench
