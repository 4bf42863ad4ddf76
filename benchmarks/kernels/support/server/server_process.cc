#include "benchmarks/kernels/support/server/server_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "benchmarks/kernels/support/check.h"
#include "benchmarks/kernels/support/unique_fd.h"

namespace hvbench::agent::kernels {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr useconds_t kPollUs = 1000;
// The host takes 1000 bytes of an error's text. This much of the server's log, from its end, fits.
constexpr std::size_t kLogTailBytes = 600;

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string DescribeStatus(int status) {
  if (WIFEXITED(status)) return "exited with " + std::to_string(WEXITSTATUS(status));
  return "was killed by signal " + std::to_string(WTERMSIG(status));
}

// The last whole lines within the bound, indented; control characters are not for people's screens.
std::string TailOf(const std::string& file) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  if (!stream) return "";
  const auto size = static_cast<std::size_t>(std::max<std::streamoff>(stream.tellg(), 0));
  const std::size_t skipped = size > kLogTailBytes ? size - kLogTailBytes : 0;
  stream.seekg(static_cast<std::streamoff>(skipped));
  std::string line;
  if (skipped > 0) std::getline(stream, line);
  std::string text;
  while (std::getline(stream, line)) {
    for (char& c : line) {
      if (static_cast<unsigned char>(c) < ' ' && c != '\t') c = '?';
    }
    text += "\n  " + line;
  }
  return text;
}

// The commonest reason, which not every server tells: MariaDB "cannot set the size" of its log.
std::string FreeSpaceNote(const std::string& root) {
  constexpr std::uint64_t kPlentyMib = 100;
  struct statvfs disk {};
  if (statvfs(root.c_str(), &disk) != 0) return "";
  const std::uint64_t free_mib = disk.f_bavail * disk.f_frsize >> 20;
  return free_mib >= kPlentyMib ? ""
                                : ", with " + std::to_string(free_mib) + " MiB free on its disk";
}

[[noreturn]] void DieInChild(const char* what) {
  dprintf(STDERR_FILENO, "hvbench-agent: %s: %s\n", what, std::strerror(errno));
  _exit(127);
}

// In a mount namespace of the child's own, so that nothing of it is left behind.
void EnterRoot(const char* root, const char* proc, const char* dev) {
  if (unshare(CLONE_NEWNS) != 0) DieInChild("cannot make a mount namespace");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("/proc", proc, nullptr, MS_BIND | MS_REC, nullptr) != 0 ||
      mount("/dev", dev, nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    DieInChild("cannot mount into the application root");
  }
  if (chroot(root) != 0) DieInChild("cannot enter the application root");
}

// Returns in the parent. Nothing but system calls in the child.
pid_t Spawn(const std::string& root, const ServerCommand& command) {
  const std::string program = root + command.argv.front();
  if (access(program.c_str(), X_OK) != 0) {
    throw Unsupported("the application root has no " + command.argv.front(), errno);
  }
  const std::string log_path = root + command.log;
  const UniqueFd log(open(log_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (log.get() < 0) throw KernelFailed("cannot create " + log_path, errno);
  std::vector<char*> argv;
  for (const std::string& word : command.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  char locale[] = "LC_ALL=C";
  char* const environment[] = {path, locale, nullptr};
  const std::string proc = root + "/proc";
  const std::string dev = root + "/dev";
  const pid_t agent = getpid();
  const pid_t pid = fork();
  if (pid < 0) throw KernelFailed("fork", errno);
  if (pid > 0) return pid;
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != agent) _exit(127);
  signal(SIGPIPE, SIG_DFL);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(log.get(), STDOUT_FILENO);
  dup2(log.get(), STDERR_FILENO);
  // Whatever the agent was born with, such as a lock of who started it, ends here.
  syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0);
  if (root != "/") EnterRoot(root.c_str(), proc.c_str(), dev.c_str());
  if (chdir("/") != 0) DieInChild("cannot enter the root directory");
  execve(argv.front(), argv.data(), environment);
  DieInChild("cannot execute the server");
}

// The fields of /proc/<pid>/stat behind the command's name; empty if there is no such process.
std::vector<std::string> StatOf(const char* pid) {
  std::ifstream stream(std::string("/proc/") + pid + "/stat");
  std::string text;
  std::getline(stream, text);
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream words(text.substr(name_end + 1));
  std::vector<std::string> fields;
  for (std::string word; words >> word;) fields.push_back(word);
  return fields;
}

// By the process's own clock, in nanoseconds; where the guest does not give it, by its ticks.
std::uint64_t CpuNsOf(const char* pid, const std::vector<std::string>& stat) {
  constexpr std::size_t kUserTicks = 11;
  clockid_t clock = 0;
  timespec time{};
  if (clock_getcpuclockid(static_cast<pid_t>(std::strtol(pid, nullptr, 10)), &clock) == 0 &&
      clock_gettime(clock, &time) == 0) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u +
           static_cast<std::uint64_t>(time.tv_nsec);
  }
  if (stat.size() <= kUserTicks + 1) return 0;
  const std::uint64_t ticks = std::strtoull(stat[kUserTicks].c_str(), nullptr, 10) +
                              std::strtoull(stat[kUserTicks + 1].c_str(), nullptr, 10);
  return ticks * 1'000'000'000u / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
}

}  // namespace

ServerProcess::ServerProcess(std::string root, ServerCommand command)
    : root_(std::move(root)),
      command_(std::move(command)),
      name_(BaseName(command_.argv.front())),
      pid_(Spawn(root_, command_)) {}

ServerProcess::~ServerProcess() { Stop(); }

std::string ServerProcess::Ending() {
  if (!ending_.empty()) return ending_;
  int status = 0;
  const pid_t reaped = waitpid(pid_, &status, WNOHANG);
  if (reaped == pid_) ending_ = DescribeStatus(status);
  if (reaped < 0 && errno == ECHILD) ending_ = "is gone";
  return ending_;
}

std::string ServerProcess::LogTail() const { return TailOf(root_ + command_.log); }

std::string ServerProcess::WithLog(const std::string& what) const {
  const std::string tail = LogTail();
  return what + FreeSpaceNote(root_) +
         (tail.empty() ? ", and printed nothing" : "; it printed last:" + tail);
}

void ServerProcess::RequireAlive() {
  if (const std::string ending = Ending(); !ending.empty()) {
    throw KernelFailed(WithLog(name_ + " " + ending));
  }
}

void ServerProcess::AwaitServing(const std::function<bool()>& serves, milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  while (!serves()) {
    RequireAlive();
    if (Clock::now() > deadline) {
      throw KernelFailed(
          WithLog(name_ + " does not serve within " + std::to_string(timeout.count()) + " ms"));
    }
    usleep(kPollUs);
  }
  RequireAlive();  // another server may have answered
}

std::uint64_t ServerProcess::CpuNs() const {
  constexpr std::size_t kSession = 3;
  const std::string session = std::to_string(pid_);
  std::uint64_t total_ns = 0;
  DIR* const processes = opendir("/proc");
  if (processes == nullptr) return 0;
  while (const dirent* entry = readdir(processes)) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    const std::vector<std::string> stat = StatOf(entry->d_name);
    if (stat.size() > kSession && stat[kSession] == session) {
      total_ns += CpuNsOf(entry->d_name, stat);
    }
  }
  closedir(processes);
  return total_ns;
}

void ServerProcess::Stop() {
  if (Ending().empty()) {
    kill(pid_, command_.stop_signal);
    const Clock::time_point deadline = Clock::now() + command_.stop_timeout;
    while (Ending().empty() && Clock::now() < deadline) usleep(kPollUs);
  }
  // What it started may have outlived it. Whatever of that is this process's child, as all is for
  // the first process of a guest, is waited for.
  if (kill(-pid_, SIGKILL) != 0) return;
  while (waitpid(-pid_, nullptr, 0) > 0) {
  }
}

void RunInApplicationRoot(const std::string& root, const ServerCommand& command,
                          milliseconds timeout) {
  const std::string name = BaseName(command.argv.front());
  const pid_t pid = Spawn(root, command);
  const Clock::time_point deadline = Clock::now() + timeout;
  int status = 0;
  pid_t reaped = 0;
  while ((reaped = waitpid(pid, &status, WNOHANG)) == 0 && Clock::now() < deadline) {
    usleep(kPollUs);
  }
  if (reaped == 0) {
    kill(-pid, SIGKILL);
    waitpid(pid, &status, 0);
    throw KernelFailed(name + " does not end within " + std::to_string(timeout.count()) + " ms" +
                       FreeSpaceNote(root) + TailOf(root + command.log));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  throw KernelFailed(name + " " + DescribeStatus(status) + FreeSpaceNote(root) +
                     TailOf(root + command.log));
}

void MakeEmptyDirectory(const std::string& root, const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(root + path, error);
  if (!error) std::filesystem::create_directories(root + path, error);
  if (error) throw KernelFailed("cannot make " + path + " in the application root", error.value());
}

void WriteFileIn(const std::string& root, const std::string& path, const std::string& content) {
  const UniqueFd file(open((root + path).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0)
    throw KernelFailed("cannot create " + path + " in the application root", errno);
  std::size_t written = 0;
  while (written < content.size()) {
    const ssize_t count = write(file.get(), content.data() + written, content.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw KernelFailed("cannot write " + path + " in the application root", errno);
    written += static_cast<std::size_t>(count);
  }
}

}  // namespace hvbench::agent::kernels
