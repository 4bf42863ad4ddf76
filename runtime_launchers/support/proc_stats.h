// What /proc tells about single processes: for those that serve a guest outside its cgroup.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace hvbench {

// User and system time of all threads, ended ones included, and of the children that the process
// has reaped; nothing if there is no such process.
std::optional<std::chrono::nanoseconds> CpuTimeOfProcess(pid_t pid);

// Proportional set size, bytes; nothing where it is unreadable (another user's process).
std::optional<std::int64_t> PssOfProcess(pid_t pid);

// Sum over those that still exist; nothing if none of them was readable.
std::optional<std::int64_t> PssOfProcesses(const std::vector<pid_t>& pids);

std::optional<pid_t> ParentOfProcess(pid_t pid);

struct ThreadState {
  bool is_kernel_thread = false;
  bool runs = false;  // or waits for a CPU
};
// Nothing if there is no such thread.
std::optional<ThreadState> StateOfThread(pid_t thread);

}  // namespace hvbench
