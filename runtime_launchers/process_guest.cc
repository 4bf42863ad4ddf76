#include "runtime_launchers/process_guest.h"

#include <signal.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/proc_stats.h"

namespace hvbench {
namespace {

constexpr auto kFreezeTimeout = std::chrono::seconds(5);

// Runs all steps of a shutdown whatever fails, and keeps the first failure for the caller.
class FirstFailure {
 public:
  template <typename Step>
  void Try(Step step) {
    try {
      step();
    } catch (...) {
      if (!failure_) failure_ = std::current_exception();
    }
  }
  void Rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::exception_ptr failure_;
};

}  // namespace

void ProcessGuest::AddFacts(const std::map<std::string, std::string>& facts) {
  for (const auto& [key, value] : facts) facts_[key] = value;
}

Endpoint ProcessGuest::TakeEndpoint() {
  if (!endpoint_) throw Error("the guest's endpoint was taken before");
  return std::move(*std::exchange(endpoint_, std::nullopt));
}

void ProcessGuest::Freeze() {
  if (frozen_ || down_) return;
  if (!cgroup_) {
    process_.Kill(SIGSTOP);
  } else {
    cgroup_->Freeze(Deadline::In(kFreezeTimeout));
  }
  frozen_ = true;
}

void ProcessGuest::Thaw() {
  if (!frozen_ || down_) return;
  if (!cgroup_) {
    process_.Kill(SIGCONT);
  } else {
    cgroup_->Thaw(Deadline::In(kFreezeTimeout));
  }
  frozen_ = false;
}

std::vector<pid_t> ProcessGuest::OutsideCgroup() const {
  std::vector<pid_t> pids = HelperProcesses();
  if (!cgroup_) pids.push_back(process_.pid());
  return pids;
}

std::chrono::nanoseconds ProcessGuest::HostCpu() {
  std::chrono::nanoseconds total{0};
  for (const auto* group : {&cgroup_, &launch_cgroup_}) {
    if (*group) total += (*group)->CpuTime();
  }
  for (const pid_t pid : OutsideCgroup()) {
    if (const auto time = CpuTimeOfProcess(pid)) total += *time;
  }
  return total;
}

GuestMemory ProcessGuest::Memory() {
  std::vector<pid_t> pids = OutsideCgroup();
  if (cgroup_) {
    const std::vector<pid_t> members = cgroup_->Processes();
    pids.insert(pids.end(), members.begin(), members.end());
  }
  GuestMemory memory;
  memory.processes = static_cast<int>(pids.size());
  pids = WithOwnMemory(pids);
  memory.pss_bytes = PssOfProcesses(pids);
  for (const pid_t pid : pids) memory.guest_bytes += GuestPss(pid);
  if (!traits_.memory_file.empty() && memory.pss_bytes) {
    // Systrap maps a page again and again, and drops what it had mapped around it.
    const std::int64_t unmapped = std::max<std::int64_t>(
        BytesInMemoryFiles(pids, traits_.memory_file) - memory.guest_bytes, 0);
    memory.guest_bytes += unmapped;
    *memory.pss_bytes += unmapped;
  }
  return memory;
}

std::int64_t ProcessGuest::GuestPss(pid_t pid) const {
  if (!traits_.memory_file.empty()) {
    return PssOfMappings(pid, [this](const MemoryMapping& mapping) {
      return mapping.name.find(traits_.memory_file) != std::string::npos;
    });
  }
  if (traits_.ram_bytes > 0) {
    return PssOfMappings(
        pid, [this](const MemoryMapping& mapping) { return mapping.bytes >= traits_.ram_bytes; });
  }
  return pid == process_.pid() ? PssOfProcess(pid).value_or(0) : 0;
}

std::string ProcessGuest::ConsoleTail() {
  std::string text;
  for (const auto& log : logs_) {
    const std::string tail = log->Excerpt(kLogTailBytes / logs_.size());
    if (!tail.empty()) text += (text.empty() ? "" : "\n") + tail;
  }
  return text;
}

std::string ProcessGuest::DeathReason() {
  if (!death_reason_.empty() || down_) return death_reason_;
  if (const auto status = process_.Wait(Deadline())) death_reason_ = DescribeDeath(*status);
  return death_reason_;
}

std::string ProcessGuest::DescribeDeath(const ExitStatus& status) {
  const bool out_of_memory = cgroup_ && cgroup_->OomKills().value_or(0) > 0;
  return status.Describe() + (out_of_memory ? ", out of memory: its limit is " +
                                                  std::to_string(traits_.memory_mib) + " MiB"
                                            : "");
}

void ProcessGuest::Shutdown(StopMode mode, Deadline deadline) {
  if (down_) return;
  FirstFailure failure;
  if (mode == StopMode::kOrderly) {
    failure.Try([&] { Thaw(); });
    process_.Wait(deadline);
  }
  failure.Try([&] { DeathReason(); });
  if (traits_.runtime_in_cgroup) {
    failure.Try([&] { Thaw(); });
    failure.Try([&] { RemoveRuntimeState(Deadline::In(kForcedStopTimeout)); });
  }
  const Deadline forced(std::max(
      deadline.when(), Deadline::Clock::now() + Deadline::Clock::duration(kForcedStopTimeout)));
  process_.Kill(SIGKILL);
  // A version 1 freezer holds back even SIGKILL.
  failure.Try([&] { Thaw(); });
  process_.Wait(forced);
  for (const auto* group : {&cgroup_, &launch_cgroup_}) {
    if (*group) failure.Try([&] { (*group)->KillAndRemove(forced); });
  }
  // Before the runtime is asked: runsc waits for seconds for what is but a zombie of ours.
  ReapOrphans();
  failure.Try([&] { RemoveRuntimeState(forced); });
  ReapOrphans();
  down_ = true;
  failure.Rethrow();
}

void ProcessGuest::ForceDown() noexcept {
  try {
    Shutdown(StopMode::kForced, Deadline());
  } catch (...) {
    // A destructor has nobody to tell; `hvbench cleanup` finds what is left by its name.
  }
}

}  // namespace hvbench
