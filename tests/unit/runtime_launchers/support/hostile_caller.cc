#include "tests/unit/runtime_launchers/support/hostile_caller.h"

#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "runtime_launchers/support/process.h"

namespace hvbench {
namespace {

void LowerSoft(__rlimit_resource resource, rlim_t soft) {
  rlimit limit = {};
  getrlimit(resource, &limit);
  limit.rlim_cur = soft;
  setrlimit(resource, &limit);
}

}  // namespace

void DropResourceCapability() {
  prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE, 0, 0, 0);
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  syscall(SYS_capget, &header, data);
  for (auto* set : {&data[0].effective, &data[0].permitted, &data[0].inheritable}) {
    *set &= ~(1U << CAP_SYS_RESOURCE);
  }
  syscall(SYS_capset, &header, data);
}

bool HasResourceCapability() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  syscall(SYS_capget, &header, data);
  return (data[0].effective & 1U << CAP_SYS_RESOURCE) != 0;
}

void LowerHardLimits() {
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_MEMLOCK, &none);
  const rlimit few = {64, 4096};
  setrlimit(RLIMIT_NOFILE, &few);
}

void BecomeHostileCaller() {
  umask(0777);
  std::ofstream("/proc/self/oom_score_adj") << 500;
  LowerSoft(RLIMIT_MEMLOCK, 0);
  LowerSoft(RLIMIT_MSGQUEUE, 0);
  LowerSoft(RLIMIT_NOFILE, 64);
  LowerSoft(RLIMIT_STACK, 1 << 20);
  const sched_param no_priority = {};
  sched_setscheduler(0, SCHED_BATCH, &no_priority);
  setpriority(PRIO_PROCESS, 0, 10);
  syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 7));
  prctl(PR_SET_TIMERSLACK, 1'000'000, 0, 0, 0);
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  personality(ADDR_NO_RANDOMIZE);
  const unsigned long node = 1;
  syscall(SYS_set_mempolicy, MPOL_INTERLEAVE, &node, 8 * sizeof node);
  const gid_t groups[] = {12, 34};
  syscall(SYS_setgroups, 2, groups);
  syscall(SYS_setresgid, 12, 12, 12);
  setenv("LD_DEBUG_OUTPUT", "/nonexistent", 1);
  setenv("PASSWORD", "secret", 1);
  setenv("BASH_ENV", "/nonexistent", 1);
  setenv("NOTIFY_SOCKET", "/nonexistent", 1);
  setenv("LISTEN_FDS", "1", 1);
  setenv("LC_ALL", "de_DE.UTF-8", 1);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGINT, SIG_IGN);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
}

std::string InChild(const std::function<std::string()>& body) {
  auto [read_end, write_end] = MakePipe();
  const pid_t child = fork();
  if (child == 0) {
    std::string text;
    try {
      text = body();
    } catch (const std::exception& error) {
      text = std::string("threw: ") + error.what();
    }
    const bool written = write(write_end.get(), text.data(), text.size()) >= 0;
    _exit(written ? 0 : 1);
  }
  write_end.Reset();
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(read_end.get(), buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return text;
}

}  // namespace hvbench
