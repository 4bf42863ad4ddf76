#include "runtime_launchers/support/process_state.h"

#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <sstream>

namespace hvbench {
namespace {

constexpr rlim_t kMib = 1024 * 1024;
constexpr rlim_t kUnlimited = RLIM_INFINITY;
constexpr unsigned long kTimerSlackNs = 50'000;  // the kernel's own (INIT_TASK, prctl(2))

// What a service of systemd 252 or newer starts with, and so a container of Docker 29 or containerd
// 2, whose units set no limits any more. Three differ: systemd's depend on the machine's memory,
// which is another in a virtual machine (nproc, sigpending), and a guest that crashes writes no
// core file (core).
constexpr ResourceLimit kStatedLimits[] = {
    {RLIMIT_CPU, "cpu", kUnlimited, kUnlimited},
    {RLIMIT_FSIZE, "fsize", kUnlimited, kUnlimited},
    {RLIMIT_DATA, "data", kUnlimited, kUnlimited},
    {RLIMIT_STACK, "stack", 8 * kMib, kUnlimited},
    {RLIMIT_CORE, "core", 0, 0},
    {RLIMIT_RSS, "rss", kUnlimited, kUnlimited},
    {RLIMIT_NPROC, "nproc", kUnlimited, kUnlimited},
    {RLIMIT_NOFILE, "nofile", 1024, 524288},
    {RLIMIT_MEMLOCK, "memlock", 8 * kMib, 8 * kMib},
    {RLIMIT_AS, "as", kUnlimited, kUnlimited},
    {RLIMIT_LOCKS, "locks", kUnlimited, kUnlimited},
    {RLIMIT_SIGPENDING, "sigpending", 65536, 65536},
    {RLIMIT_MSGQUEUE, "msgqueue", 819200, 819200},
    {RLIMIT_NICE, "nice", 0, 0},
    {RLIMIT_RTPRIO, "rtprio", 0, 0},
    {RLIMIT_RTTIME, "rttime", kUnlimited, kUnlimited},
};

// glibc's types for it are an enumeration in C++ and an int in C.
int GetLimit(int resource, rlimit& limit) {
  return prlimit(0, static_cast<__rlimit_resource>(resource), nullptr, &limit);
}

int SetLimit(int resource, const rlimit& limit) {
  return prlimit(0, static_cast<__rlimit_resource>(resource), &limit, nullptr);
}

std::string TextOf(rlim_t value) {
  return value == kUnlimited ? "unlimited" : std::to_string(value);
}

std::map<std::string, std::string> Values(const std::string& state) {
  std::istringstream words(state);
  std::map<std::string, std::string> values;
  for (std::string word; words >> word;) values.emplace(word.substr(0, word.find(':')), word);
  return values;
}

bool WriteOomScoreAdj() noexcept {
  static_assert(kStatedOomScoreAdj == 0);
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  const bool written = fd >= 0 && write(fd, "0", 1) == 1;
  if (fd >= 0) close(fd);
  return written;
}

// Sets it for this thread and what it starts. Makes raw system calls where glibc would change other
// threads too.
void EnterStatedScheduling() noexcept {
  const sched_param no_priority = {};
  sched_setscheduler(0, SCHED_OTHER, &no_priority);
  setpriority(PRIO_PROCESS, 0, 0);
  syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_NONE, 0));
  prctl(PR_SET_TIMERSLACK, kTimerSlackNs, 0, 0, 0);
  syscall(SYS_set_mempolicy, MPOL_DEFAULT, nullptr, 0);
  // The memory's, which a child shares until its execve(2): this program loses the flag as well.
  if (prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1) prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
}

}  // namespace

std::vector<ResourceLimit> GuestLimits() {
  std::vector<ResourceLimit> limits(std::begin(kStatedLimits), std::end(kStatedLimits));
  for (ResourceLimit& limit : limits) {
    rlimit own = {};
    if (GetLimit(limit.resource, own) != 0 || own.rlim_max >= limit.hard) continue;
    if (SetLimit(limit.resource, {own.rlim_cur, limit.hard}) == 0) continue;
    limit.hard = own.rlim_max;
    limit.soft = std::min(limit.soft, limit.hard);
  }
  return limits;
}

std::string GuestLimitsText() {
  std::string text;
  for (const ResourceLimit& limit : GuestLimits()) {
    text += (text.empty() ? "" : ",") + std::string(limit.name) + ":" + TextOf(limit.soft) + ":" +
            TextOf(limit.hard);
  }
  return text;
}

const std::vector<std::string>& AgentEnvironment() {
  // Docker adds HOSTNAME and OCI runtimes add HOME where they are missing.
  static const std::vector<std::string> kEnvironment = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
      "HOSTNAME=hvbench"};
  return kEnvironment;
}

std::string StateOptionsOfMachine() {
  std::string options = " --limits=" + GuestLimitsText();
  for (const std::string& variable : AgentEnvironment()) options += " --variable=" + variable;
  return options;
}

std::string StatedProcessState() {
  std::string state =
      "umask:0022 nice:0 policy:other io_priority:none oom_score_adj:0 timer_slack_ns:" +
      std::to_string(kTimerSlackNs) +
      " thp_disabled:0 personality:0 memory_policy:0 signals_blocked:0 signals_ignored:0 groups:0 "
      "environment:HOME,HOSTNAME,PATH";
  for (const ResourceLimit& limit : GuestLimits()) {
    state +=
        " limit_" + std::string(limit.name) + ":" + TextOf(limit.soft) + ":" + TextOf(limit.hard);
  }
  return state;
}

std::vector<std::string> DifferencesOfState(const std::string& actual, const std::string& stated) {
  std::vector<std::string> differences;
  const auto wanted = Values(stated);
  for (const auto& [key, word] : Values(actual)) {
    const auto found = wanted.find(key);
    if (found != wanted.end() && found->second != word) {
      differences.push_back(word + " instead of " + found->second);
    }
  }
  return differences;
}

bool MaySetOomScoreAdj() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  const pid_t child = fork();
  if (child == 0) {
    const char answer = WriteOomScoreAdj() ? 'y' : 'n';
    _exit(write(ends[1], &answer, 1) == 1 ? 0 : 1);
  }
  close(ends[1]);
  char answer = 'n';
  const bool told = TEMP_FAILURE_RETRY(read(ends[0], &answer, 1)) == 1;
  close(ends[0]);
  // ReapOrphans of another thread may have been faster.
  if (child > 0) TEMP_FAILURE_RETRY(waitpid(child, nullptr, 0));
  return told && answer == 'y';
}

void EnterStatedState(const std::vector<ResourceLimit>& limits) noexcept {
  umask(kStatedUmask);
  EnterStatedScheduling();
  personality(PER_LINUX);
  WriteOomScoreAdj();
  if (geteuid() == 0) {
    syscall(SYS_setgroups, 0, nullptr);
    syscall(SYS_setresgid, 0, 0, 0);
  }
  for (const ResourceLimit& limit : limits) SetLimit(limit.resource, {limit.soft, limit.hard});
}

void StateOwnProcess() {
  umask(kStatedUmask);
  EnterStatedScheduling();
  // Blocked, the signals that end a run would not; ignored, this one would lose children's
  // statuses.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGCHLD, SIG_DFL);
  for (const ResourceLimit& limit : GuestLimits()) {
    rlimit own = {};
    if (limit.resource == RLIMIT_CORE || GetLimit(limit.resource, own) != 0) continue;
    // A pipe, a pidfd and a log for each of many guests.
    const rlim_t wanted = limit.resource == RLIMIT_NOFILE ? limit.hard : limit.soft;
    if (own.rlim_cur < wanted) SetLimit(limit.resource, {wanted, own.rlim_max});
  }
}

}  // namespace hvbench
