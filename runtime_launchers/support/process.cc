#include "runtime_launchers/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <string_view>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/proc_stats.h"
#include "runtime_launchers/support/spawn_child.h"
#include "runtime_launchers/support/trusted_path.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

constexpr std::size_t kMaxCommandOutputBytes = 64 * 1024;
// No command that is run to its end has that much to say.
constexpr std::size_t kMaxCommandTotalBytes = 16 * 1024 * 1024;

// Those that Process objects will reap themselves. A pid is in it once: it cannot be used again
// before it was reaped.
class HeldPids {
 public:
  static HeldPids& Instance() {
    static HeldPids held;
    return held;
  }
  void Add(pid_t pid) {
    const std::lock_guard lock(mutex_);
    pids_.insert(pid);
  }
  void Remove(pid_t pid) {
    const std::lock_guard lock(mutex_);
    pids_.erase(pid);
  }
  bool Contains(pid_t pid) {
    const std::lock_guard lock(mutex_);
    return pids_.contains(pid);
  }

 private:
  std::mutex mutex_;
  std::set<pid_t> pids_;
};

// Reads what is there and keeps the end of it. False at the end of the stream.
bool AppendAvailable(int fd, std::string& output, std::size_t& total_bytes) {
  char buffer[16 * 1024];
  const ssize_t n = read(fd, buffer, sizeof buffer);
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  output.append(buffer, static_cast<std::size_t>(n));
  total_bytes += static_cast<std::size_t>(n);
  if (output.size() > kMaxCommandOutputBytes) {
    output.erase(0, output.size() - kMaxCommandOutputBytes);
  }
  return n > 0;
}

}  // namespace

std::string ExitStatus::Describe() const {
  if (signal != 0) {
    const char* name = sigdescr_np(signal);
    return "was killed by signal " + std::to_string(signal) + " (" + (name ? name : "?") + ")";
  }
  if (exit_code < 0) return "ended, and nobody knows how";
  return "exited with " + std::to_string(exit_code);
}

Process Process::Spawn(const std::vector<std::string>& argv, const SpawnOptions& options) {
  Process process;
  process.pid_ = SpawnChild(argv, options, process.pidfd_);
  HeldPids::Instance().Add(process.pid_);
  return process;
}

Process Process::Adopt(ProvedProcess proved) {
  Process process;
  process.pid_ = proved.pid();
  process.pidfd_ = proved.TakePidfd();
  HeldPids::Instance().Add(process.pid_);
  return process;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      status_(std::exchange(other.status_, std::nullopt)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(status_, other.status_);
  return *this;
}

Process::~Process() {
  if (!pidfd_ || status_) return;
  Kill(SIGKILL);
  siginfo_t info = {};
  // Ends at once for a process that is nobody's or another's child (ECHILD).
  while (waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) != 0 && errno == EINTR) {
  }
  HeldPids::Instance().Remove(pid_);
}

void Process::Kill(int signal_number) const {
  if (!pidfd_ || status_) return;
  syscall(SYS_pidfd_send_signal, pidfd_.get(), signal_number, nullptr, 0);
}

// Its group is of no other processes as long as nobody has waited for it.
void Process::KillSession() const {
  if (pidfd_ && !status_ && getpgid(pid_) == pid_) kill(-pid_, SIGKILL);
}

std::optional<ExitStatus> Process::Wait(Deadline deadline) {
  if (status_ || !pidfd_) return status_;
  if (!WaitReadable(pidfd_.get(), deadline, /*interruptible=*/false)) return std::nullopt;
  siginfo_t info = {};
  int result = 0;
  do {
    result = waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG);
  } while (result != 0 && errno == EINTR);
  ExitStatus status;
  if (result == 0 && info.si_pid != 0) {
    if (info.si_code == CLD_EXITED) {
      status.exit_code = info.si_status;
    } else {
      status.signal = info.si_status;
    }
  }
  status_ = status;
  HeldPids::Instance().Remove(pid_);
  return status_;
}

bool IsThreadOf(pid_t thread, const Process& process) {
  std::error_code error;
  return process.pid() > 0 && thread > 0 &&
         std::filesystem::exists(
             "/proc/" + std::to_string(process.pid()) + "/task/" + std::to_string(thread), error);
}

CommandResult RunCommand(const std::vector<std::string>& argv, Deadline deadline,
                         bool interruptible) {
  return RunCommand(argv, SpawnOptions(), deadline, interruptible);
}

CommandResult RunCommand(const std::vector<std::string>& argv, SpawnOptions options,
                         Deadline deadline, bool interruptible) {
  auto [output_read, output_write] = MakePipe();
  options.stdout_fd = output_write.get();
  options.stderr_fd = output_write.get();
  Process process = Process::Spawn(argv, options);
  output_write.Reset();
  fcntl(output_read.get(), F_SETFL, O_NONBLOCK);

  CommandResult result;
  std::size_t total_bytes = 0;
  const auto stop = [&](const std::string& problem) {
    process.Kill(SIGKILL);
    return "'" + argv.front() + "' " + problem + AsQuote(result.output);
  };
  // A daemon that the command left behind may hold the pipe open: its exit ends the wait too.
  while (true) {
    pollfd fds[] = {{output_read.get(), POLLIN, 0}, {process.pidfd(), POLLIN, 0}};
    const bool ended = poll(&fds[1], 1, 0) > 0;
    if (ended) {
      while (poll(&fds[0], 1, 0) > 0 && total_bytes <= kMaxCommandTotalBytes &&
             AppendAvailable(output_read.get(), result.output, total_bytes)) {
      }
      result.status = process.Wait(deadline).value_or(ExitStatus{});
      return result;
    }
    // Slices, since WaitReadable watches one descriptor; the pipe's end wakes it in all but the
    // daemon's case.
    const auto slice =
        std::min<Deadline::Clock::duration>(deadline.Remaining(), std::chrono::milliseconds(20));
    const bool readable = WaitReadable(output_read.get(), Deadline::In(slice), interruptible);
    if (readable && !AppendAvailable(output_read.get(), result.output, total_bytes)) {
      WaitReadable(process.pidfd(), deadline, interruptible);
    }
    if (total_bytes > kMaxCommandTotalBytes) {
      throw Error(stop("prints without end: it was stopped after " +
                       std::to_string(kMaxCommandTotalBytes >> 20) + " MiB"));
    }
    if (deadline.Passed() && poll(&fds[1], 1, 0) == 0) throw TimedOut(stop("did not end in time"));
  }
}

void BecomeSubreaper() {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
    throw SystemError("cannot adopt orphaned processes", errno);
  }
}

void ReapOrphans() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;  // stays so for what is no process
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid <= 0 || HeldPids::Instance().Contains(pid)) continue;
    if (ParentOfProcess(pid) == getpid()) waitpid(pid, nullptr, WNOHANG);
  }
}

namespace {

// The first that there is, whoever could replace it.
std::optional<std::filesystem::path> LookUp(const std::filesystem::path& name) {
  const auto is_executable = [](const std::filesystem::path& file) {
    std::error_code error;
    return std::filesystem::is_regular_file(file, error) && access(file.c_str(), X_OK) == 0;
  };
  if (name.empty()) return std::nullopt;
  if (name.native().find('/') != std::string::npos) {
    if (!is_executable(name)) return std::nullopt;
    return std::filesystem::absolute(name);
  }
  // Runtimes often lie in sbin, which is missing from an ordinary user's PATH.
  const char* path = std::getenv("PATH");
  const std::string dirs = std::string(path ? path : "") + ":/usr/local/sbin:/usr/sbin:/sbin";
  std::string_view rest = dirs;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::filesystem::path candidate = std::filesystem::path(rest.substr(0, end)) / name;
    if (end > 0 && is_executable(candidate)) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

}  // namespace

std::string CommandLine(const std::vector<std::string>& argv) {
  std::string text;
  for (const std::string& word : argv) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::optional<std::filesystem::path> FindExecutable(const std::filesystem::path& name) {
  auto found = LookUp(name);
  if (found) RequireTrusted(*found, TrustedOwners::kPrograms);
  return found;
}

std::pair<UniqueFd, UniqueFd> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) throw SystemError("cannot create a pipe", errno);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

PipedProcess SpawnPiped(const std::vector<std::string>& argv, SpawnOptions options) {
  auto [child_stdin, to_child] = MakePipe();
  auto [from_child, child_stdout] = MakePipe();
  options.stdin_fd = child_stdin.get();
  options.stdout_fd = child_stdout.get();
  return {Process::Spawn(argv, options), std::move(to_child), std::move(from_child)};
}

}  // namespace hvbench
