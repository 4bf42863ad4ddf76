#include "runtime_launchers/support/spawn_child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "runtime_launchers/support/cpu_set.h"
#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/identity.h"
#include "runtime_launchers/support/process_state.h"

#ifdef __SANITIZE_THREAD__
// The C library's other name of clone(2). ThreadSanitizer intercepts the first, takes the child for
// one with memory of its own, and ends its accounts of the parent's locks in it.
extern "C" int __clone(int (*function)(void*), void* stack, int flags, void* argument, ...);
#endif

namespace hvbench {
namespace {

#ifdef __SANITIZE_THREAD__
constexpr auto* kClone = __clone;
#else
constexpr auto* kClone = clone;
#endif
constexpr std::size_t kChildStackBytes = 64 * 1024;
constexpr int kMaxBusyAttempts = 1000;
constexpr timespec kBusyPause = {0, 1'000'000};  // ns

enum class Step {
  kNone,
  kParentGone,
  kStdio,
  kCgroup,
  kAffinity,
  kMounts,
  kNetwork,
  kDirectory,
  kExecute
};

// Everything that the child needs, made before it exists. The child shares the parent's memory
// while the parent is suspended (CLONE_VM | CLONE_VFORK): it allocates nothing, takes no lock, and
// reports a failure by writing it here. A fork instead would cost time that grows with the size
// of this program, within the start-up times that the suite measures.
struct ChildPlan {
  int program_fd = -1;
  std::vector<char*> argv;
  std::vector<char*> environment;
  std::array<int, 3> stdio{};
  std::vector<const char*> cgroup_procs;
  std::optional<CpuSet> cpus;
  std::vector<ResourceLimit> limits;  // none: the caller's state stays
  const char* hidden_mount = nullptr;
  const char* covered_dir = nullptr;
  int network_namespace = -1;
  const char* working_dir = nullptr;
  bool die_with_parent = false;
  bool new_session = false;
  pid_t parent = 0;

  Step failed_step = Step::kNone;
  std::size_t failed_cgroup = 0;
  int failed_errno = 0;
};

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  // execve(2) takes char* for reasons of history and does not write to the strings.
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void Fail(ChildPlan& plan, Step step) {
  plan.failed_errno = errno;
  plan.failed_step = step;
  _exit(127);
}

void ResetSignals() {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  for (int signal_number = 1; signal_number < NSIG; ++signal_number) {
    sigaction(signal_number, &action, nullptr);  // fails for SIGKILL, SIGSTOP and libc's own
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void ArrangeStdio(ChildPlan& plan) {
  // First out of the way of 0, 1 and 2, then into place; dup2 leaves close-on-exec off.
  std::array<int, 3> high{};
  for (std::size_t i = 0; i < 3; ++i) {
    high[i] = fcntl(plan.stdio[i], F_DUPFD_CLOEXEC, 3);
    if (high[i] < 0) Fail(plan, Step::kStdio);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    if (dup2(high[i], static_cast<int>(i)) < 0) Fail(plan, Step::kStdio);
  }
  // Descriptors of this program or of its libraries that lack the flag must not reach a guest.
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
}

// A slave, so that what the host unmounts later is not kept alive here.
void HideMounts(ChildPlan& plan) {
  if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0 ||
      (plan.hidden_mount != nullptr && umount2(plan.hidden_mount, MNT_DETACH) != 0) ||
      (plan.covered_dir != nullptr &&
       mount("none", plan.covered_dir, "tmpfs", MS_RDONLY, nullptr) != 0)) {
    Fail(plan, Step::kMounts);
  }
}

void DieWithParent(ChildPlan& plan) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent) {
    errno = ESRCH;
    Fail(plan, Step::kParentGone);
  }
}

int RunChild(void* argument) {
  ChildPlan& plan = *static_cast<ChildPlan*>(argument);
  if (plan.die_with_parent) DieWithParent(plan);
  ResetSignals();
  if (plan.new_session) setsid();
  ArrangeStdio(plan);
  for (std::size_t i = 0; i < plan.cgroup_procs.size(); ++i) {
    plan.failed_cgroup = i;
    const int fd = open(plan.cgroup_procs[i], O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1) Fail(plan, Step::kCgroup);
    close(fd);
  }
  if (plan.cpus && !plan.cpus->Apply(0)) {
    Fail(plan, Step::kAffinity);
  }
  if (plan.network_namespace >= 0 && setns(plan.network_namespace, CLONE_NEWNET) != 0) {
    Fail(plan, Step::kNetwork);
  }
  if (plan.hidden_mount != nullptr || plan.covered_dir != nullptr) HideMounts(plan);
  if (plan.working_dir != nullptr && chdir(plan.working_dir) != 0) Fail(plan, Step::kDirectory);
  if (!plan.limits.empty()) {
    EnterStatedState(plan.limits);
    // A change of the group took it away (prctl(2)).
    if (plan.die_with_parent) DieWithParent(plan);
  }
  // A child that another thread is starting may have inherited the descriptor with which the
  // program was just written, and holds it until its own execve(2).
  for (int attempt = 0; attempt < kMaxBusyAttempts; ++attempt) {
    if (plan.program_fd >= 0) {
      execveat(plan.program_fd, "", plan.argv.data(), plan.environment.data(), AT_EMPTY_PATH);
    } else {
      execve(plan.argv[0], plan.argv.data(), plan.environment.data());
    }
    if (errno != ETXTBSY) break;
    nanosleep(&kBusyPause, nullptr);
  }
  Fail(plan, Step::kExecute);
}

std::string DescribeFailure(const ChildPlan& plan) {
  const std::string program = plan.argv[0];
  switch (plan.failed_step) {
    case Step::kParentGone:
      return "cannot start '" + program + "' for a parent that has ended";
    case Step::kStdio:
      return "cannot set up the standard streams of '" + program + "'";
    case Step::kCgroup:
      return "cannot move '" + program + "' into " + plan.cgroup_procs[plan.failed_cgroup];
    case Step::kAffinity:
      return "cannot pin '" + program + "' to its CPUs";
    case Step::kMounts:
      return "cannot hide " +
             std::string(plan.hidden_mount ? plan.hidden_mount : plan.covered_dir) + " from '" +
             program + "'";
    case Step::kNetwork:
      return "cannot put '" + program + "' into its network namespace";
    case Step::kDirectory:
      return "cannot enter directory " + std::string(plan.working_dir);
    case Step::kExecute:
    case Step::kNone:
      break;
  }
  return "cannot execute '" + program + "'";
}

// Blocks all signals of this thread: no handler may run in a child that shares its memory.
class SignalBlock {
 public:
  SignalBlock() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &saved_);
  }
  ~SignalBlock() { pthread_sigmask(SIG_SETMASK, &saved_, nullptr); }
  SignalBlock(const SignalBlock&) = delete;
  SignalBlock& operator=(const SignalBlock&) = delete;

 private:
  sigset_t saved_;
};

}  // namespace

pid_t SpawnChild(const std::vector<std::string>& argv, const SpawnOptions& options, UniqueFd& pidfd,
                 int program_fd) {
  ChildPlan plan;
  plan.program_fd = program_fd;
  plan.argv = Pointers(argv);
  if (options.as_caller) {
    for (char** entry = environ; *entry != nullptr; ++entry) plan.environment.push_back(*entry);
    plan.environment.push_back(nullptr);
  } else {
    plan.environment =
        Pointers(options.environment.empty() ? AgentEnvironment() : options.environment);
    plan.limits = GuestLimits();
  }
  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  const std::array<int, 3> wanted = {options.stdin_fd, options.stdout_fd, options.stderr_fd};
  for (std::size_t i = 0; i < 3; ++i) plan.stdio[i] = wanted[i] >= 0 ? wanted[i] : null.get();
  for (const auto& file : options.cgroup_procs) plan.cgroup_procs.push_back(file.c_str());
  if (!options.cpus.empty()) plan.cpus.emplace(options.cpus);
  if (!options.hidden_mount.empty()) plan.hidden_mount = options.hidden_mount.c_str();
  if (!options.covered_dir.empty()) plan.covered_dir = options.covered_dir.c_str();
  UniqueFd network;
  if (!options.network_namespace.empty()) {
    network.Reset(open(options.network_namespace.c_str(), O_RDONLY | O_CLOEXEC));
    if (!network) throw SystemError("open " + options.network_namespace.string(), errno);
    plan.network_namespace = network.get();
  }
  if (!options.working_dir.empty()) plan.working_dir = options.working_dir.c_str();
  plan.die_with_parent = options.die_with_parent;
  plan.new_session = options.new_session;
  plan.parent = getpid();

  std::vector<char> stack(kChildStackBytes);
  int new_pidfd = -1;
  pid_t pid = -1;
  int clone_errno = 0;
  {
    const SignalBlock block;
    pid = kClone(RunChild, stack.data() + stack.size(),
                 CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &plan, &new_pidfd);
    clone_errno = errno;
  }
  if (pid < 0) throw SystemError("cannot create a process for '" + argv.front() + "'", clone_errno);
  pidfd.Reset(new_pidfd);
  if (plan.failed_step != Step::kNone) {
    waitpid(pid, nullptr, 0);
    pidfd.Reset();
    throw SystemError(DescribeFailure(plan), plan.failed_errno);
  }
  return pid;
}

PipedProcess SpawnPipedProgram(int program_fd, const std::vector<std::string>& argv,
                               SpawnOptions options) {
  auto [child_stdin, to_child] = MakePipe();
  auto [from_child, child_stdout] = MakePipe();
  options.stdin_fd = child_stdin.get();
  options.stdout_fd = child_stdout.get();
  UniqueFd pidfd;
  // Nobody else reaps it: its number is its own until it is adopted.
  const pid_t pid = SpawnChild(argv, options, pidfd, program_fd);
  return {Process::Adopt(IdentityProof::OfOwnChild(pid)), std::move(to_child),
          std::move(from_child)};
}

}  // namespace hvbench
