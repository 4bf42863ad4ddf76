// Sets of CPUs, of any number and with gaps: cpu_set_t ends at 1024, and where a machine could have
// more the kernel refuses it.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hvbench {

// For sched_setaffinity(2).
class CpuSet {
 public:
  explicit CpuSet(const std::vector<int>& cpus);
  // Whether the thread (0: the calling one) may run on them from now on; errno where not. May be
  // called between clone(2) and execve(2).
  bool Apply(pid_t thread) const noexcept;

 private:
  std::vector<unsigned long> bits_;
};

// The CPUs on which the thread may run, ascending; none where the kernel does not say. `get`: as
// sched_getaffinity(2), which refuses a set that is smaller than the kernel's.
using GetAffinity = std::function<int(pid_t, std::size_t, cpu_set_t*)>;
std::vector<int> AllowedCpus(pid_t thread = 0, const GetAffinity& get = sched_getaffinity);

// "0-3,8,1100" as the kernel writes lists (cpuset(7)), "" for none; nothing if it is malformed.
std::optional<std::vector<int>> ParseCpuList(std::string_view text);
std::string FormatCpuList(const std::vector<int>& ascending);

}  // namespace hvbench
