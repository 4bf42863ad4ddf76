#include "runtime_launchers/support/proc_stats.h"

#include <time.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace hvbench {
namespace {

std::string ProcFile(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

// proc(5), /proc/<pid>/stat from its third field on; at its end if there is no such process.
std::istringstream FieldsFromThird(pid_t pid) {
  std::ifstream file(ProcFile(pid, "stat"));
  std::string line;
  std::getline(file, line);
  // The second field is the program's name, which may hold anything; the third follows the ')'.
  const std::size_t name_end = line.rfind(')');
  return std::istringstream(name_end == std::string::npos ? "" : line.substr(name_end + 1));
}

// cutime and cstime, fields 16 and 17, in clock ticks.
std::chrono::nanoseconds CpuTimeOfReapedChildren(pid_t pid) {
  std::istringstream fields = FieldsFromThird(pid);
  std::string skipped;
  for (int field = 3; field < 16; ++field) fields >> skipped;
  std::int64_t user_ticks = 0;
  std::int64_t system_ticks = 0;
  fields >> user_ticks >> system_ticks;
  const std::int64_t ns_per_tick = 1'000'000'000 / sysconf(_SC_CLK_TCK);
  return std::chrono::nanoseconds((user_ticks + system_ticks) * ns_per_tick);
}

}  // namespace

std::optional<std::chrono::nanoseconds> CpuTimeOfProcess(pid_t pid) {
  // Unlike the ticks of 10 ms in /proc/<pid>/stat, this clock has nanoseconds.
  clockid_t clock = 0;
  timespec time = {};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return std::nullopt;
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec) +
         CpuTimeOfReapedChildren(pid);
}

std::optional<std::int64_t> PssOfProcess(pid_t pid) {
  std::ifstream file(ProcFile(pid, "smaps_rollup"));
  std::string word;
  while (file >> word) {
    std::int64_t kib = 0;
    if (word == "Pss:" && file >> kib) return kib * 1024;
  }
  return std::nullopt;
}

std::optional<std::int64_t> PssOfProcesses(const std::vector<pid_t>& pids) {
  std::optional<std::int64_t> sum;
  for (const pid_t pid : pids) {
    if (const auto pss = PssOfProcess(pid)) sum = sum.value_or(0) + *pss;
  }
  return sum;
}

std::optional<ThreadState> StateOfThread(pid_t thread) {
  constexpr unsigned kKernelThread = 0x00200000;  // PF_KTHREAD
  std::istringstream fields = FieldsFromThird(thread);
  char state = 0;
  std::string skipped;
  unsigned flags = 0;
  fields >> state;
  for (int field = 4; field < 9; ++field) fields >> skipped;
  if (!(fields >> flags)) return std::nullopt;
  return ThreadState{(flags & kKernelThread) != 0, state == 'R'};
}

std::optional<pid_t> ParentOfProcess(pid_t pid) {
  std::ifstream file(ProcFile(pid, "status"));
  std::string word;
  while (file >> word) {
    pid_t parent = 0;
    if (word == "PPid:" && file >> parent) return parent;
  }
  return std::nullopt;
}

}  // namespace hvbench
