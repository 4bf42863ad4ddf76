// What /proc tells about single processes: for those that serve a guest outside its cgroup.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hvbench {

// User and system time of all threads, ended ones included, and of the children that the process
// has reaped; nothing if there is no such process.
std::optional<std::chrono::nanoseconds> CpuTimeOfProcess(pid_t pid);

// Proportional set size, bytes; nothing where it is unreadable (another user's process).
std::optional<std::int64_t> PssOfProcess(pid_t pid);

// Sum over those that still exist; nothing if none of them was readable.
std::optional<std::int64_t> PssOfProcesses(const std::vector<pid_t>& pids);

// A process's mapping of memory, as /proc/<pid>/smaps describes it.
struct MemoryMapping {
  std::string name;        // a file's path, "[heap]", ...; "" for plain anonymous memory
  std::int64_t bytes = 0;  // of address space
};

// PSS of those of its mappings that are `wanted`, bytes; 0 if there are none or they are
// unreadable.
std::int64_t PssOfMappings(pid_t pid, const std::function<bool(const MemoryMapping&)>& wanted);

// Bytes that memfd_create(2) files of that name hold, which those processes have open: mapped by
// one of them or not, each file once.
std::int64_t BytesInMemoryFiles(const std::vector<pid_t>& pids, std::string_view name);

// Without those that share all of their memory with an earlier one (CLONE_VM), whose PSS would
// count twice.
std::vector<pid_t> WithOwnMemory(const std::vector<pid_t>& pids);

std::optional<pid_t> ParentOfProcess(pid_t pid);

struct ProcessStat {
  bool is_kernel_thread = false;
  bool has_ended = false;         // and waits for its parent to notice
  std::uint64_t start_ticks = 0;  // clock ticks since boot, rounded down
};
// Nothing if there is no such process, or it is hidden from this user.
std::optional<ProcessStat> StatOfProcess(pid_t pid);

struct ThreadState {
  bool is_kernel_thread = false;
  bool runs = false;  // or waits for a CPU
};
// Nothing if there is no such thread.
std::optional<ThreadState> StateOfThread(pid_t thread);

// Those whose command name is `name`, at most 15 characters.
std::vector<pid_t> ProcessesNamed(std::string_view name);

}  // namespace hvbench
