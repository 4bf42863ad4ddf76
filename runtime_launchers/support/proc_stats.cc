#include "runtime_launchers/support/proc_stats.h"

#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace hvbench {
namespace {

constexpr unsigned kKernelThread = 0x00200000;  // PF_KTHREAD

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

std::optional<ProcessStat> StatOfProcess(pid_t pid) {
  std::istringstream fields = FieldsFromThird(pid);
  char state = 0;
  std::string skipped;
  unsigned flags = 0;
  fields >> state;
  for (int field = 4; field < 9; ++field) fields >> skipped;
  fields >> flags;
  for (int field = 10; field < 22; ++field) fields >> skipped;
  ProcessStat stat;
  if (!(fields >> stat.start_ticks)) return std::nullopt;
  stat.is_kernel_thread = (flags & kKernelThread) != 0;
  stat.has_ended = state == 'Z' || state == 'X';
  return stat;
}

std::optional<ThreadState> StateOfThread(pid_t thread) {
  std::istringstream fields = FieldsFromThird(thread);
  char state = 0;
  std::string skipped;
  unsigned flags = 0;
  fields >> state;
  for (int field = 4; field < 9; ++field) fields >> skipped;
  if (!(fields >> flags)) return std::nullopt;
  return ThreadState{(flags & kKernelThread) != 0, state == 'R'};
}

std::int64_t PssOfMappings(pid_t pid, const std::function<bool(const MemoryMapping&)>& wanted) {
  std::ifstream file(ProcFile(pid, "smaps"));
  std::int64_t sum = 0;
  bool counts = false;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string word;
    fields >> word;
    if (word == "Pss:") {
      std::int64_t kib = 0;
      if (counts && fields >> kib) sum += kib * 1024;
    } else if (!word.empty() && word.back() != ':') {
      // "7f00000000-7f00021000 rw-s 00000000 00:01 2057   /memfd:runsc-memory (deleted)"
      MemoryMapping mapping;
      std::string skipped;
      fields >> skipped >> skipped >> skipped >> skipped >> std::ws;
      std::getline(fields, mapping.name);
      std::int64_t begin = 0;
      std::int64_t end = 0;
      const char* const last = word.data() + word.size();
      const auto [dash, error] = std::from_chars(word.data(), last, begin, 16);
      if (error == std::errc() && dash != last) std::from_chars(dash + 1, last, end, 16);
      mapping.bytes = end - begin;
      counts = wanted(mapping);
    }
  }
  return sum;
}

std::int64_t BytesInMemoryFiles(const std::vector<pid_t>& pids, std::string_view name) {
  constexpr std::int64_t kBlockBytes = 512;  // of st_blocks
  const std::string target = "/memfd:" + std::string(name) + " (deleted)";
  std::set<ino_t> counted;  // all are of the kernel's own tmpfs
  std::int64_t sum = 0;
  for (const pid_t pid : pids) {
    std::error_code error;
    for (const auto& fd : std::filesystem::directory_iterator(ProcFile(pid, "fd"), error)) {
      struct stat status = {};
      if (std::filesystem::read_symlink(fd, error) == target &&
          stat(fd.path().c_str(), &status) == 0 && counted.insert(status.st_ino).second) {
        sum += status.st_blocks * kBlockBytes;
      }
    }
  }
  return sum;
}

std::vector<pid_t> WithOwnMemory(const std::vector<pid_t>& pids) {
  std::vector<pid_t> distinct;
  for (const pid_t pid : pids) {
    if (std::none_of(distinct.begin(), distinct.end(), [pid](pid_t other) {
          return syscall(SYS_kcmp, pid, other, KCMP_VM, 0, 0) == 0;
        })) {
      distinct.push_back(pid);
    }
  }
  return distinct;
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

std::vector<pid_t> ProcessesNamed(std::string_view name) {
  std::vector<pid_t> pids;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string number = entry.path().filename();
    pid_t pid = 0;  // stays so for what is no process
    std::from_chars(number.data(), number.data() + number.size(), pid);
    if (pid <= 0) continue;
    std::string comm;
    std::getline(std::ifstream(ProcFile(pid, "comm")), comm);
    if (comm == name) pids.push_back(pid);
  }
  return pids;
}

}  // namespace hvbench
