#include "runtime_launchers/support/identity.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "runtime_launchers/support/cgroup_mounts.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/proc_stats.h"
#include "runtime_launchers/support/process.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kContainerIdDigits = 64;
constexpr pid_t kInit = 1;
// Longer chains of parents do not occur; a loop cannot, but a process may be reparented meanwhile.
constexpr int kMaxAncestors = 4096;

fs::path ProcDir(pid_t pid) { return fs::path("/proc") / std::to_string(pid); }

std::vector<std::string_view> PartsOf(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) parts.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

bool IsWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// "docker-<id>.scope" holds <id>, but not a part of it.
bool HoldsWord(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !IsWordCharacter(text[at - 1])) &&
        (end == text.size() || !IsWordCharacter(text[end]))) {
      return true;
    }
  }
  return false;
}

bool PidfdIsAlive(int pidfd) {
  return syscall(SYS_pidfd_send_signal, pidfd, 0, nullptr, 0) == 0 || errno == EPERM;
}

UniqueFd OpenPidfd(pid_t pid) {
  if (pid <= 0) throw ProcessGone("process " + std::to_string(pid) + " is not visible here");
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));  // close-on-exec by itself
  if (pidfd) return pidfd;
  if (errno == ESRCH) throw ProcessGone("there is no process " + std::to_string(pid) + " here");
  if (errno == EINVAL) throw NotProved(std::to_string(pid) + " is a thread, not a process");
  throw SystemError("cannot watch process " + std::to_string(pid), errno);
}

// What holds of every process that is to be a guest's.
void RequireCandidate(pid_t pid, BootTicks not_before) {
  if (pid == kInit) throw NotProved("process 1 is the system's first one, not a guest's");
  const auto stat = StatOfProcess(pid);
  if (!stat) throw NotProved("process " + std::to_string(pid) + " cannot be looked at");
  if (stat->is_kernel_thread) throw NotProved(DescribeProcess(pid) + " is the kernel's");
  const std::vector<pid_t> lineage = OwnLineage();
  if (std::find(lineage.begin(), lineage.end(), pid) != lineage.end()) {
    throw NotProved(DescribeProcess(pid) + " is this program or one of its ancestors");
  }
  if (stat->start_ticks < not_before) {
    throw NotProved(DescribeProcess(pid) + " is older than the guest");
  }
}

void RequireAlive(const UniqueFd& pidfd, pid_t pid) {
  if (!PidfdIsAlive(pidfd.get())) {
    throw ProcessGone("process " + std::to_string(pid) + " has ended");
  }
}

std::string GroupsText(const std::map<std::string, std::string>& groups) {
  std::string longest = "/";
  for (const auto& [controller, path] : groups) {
    if (path.size() > longest.size()) longest = path;
  }
  return longest;
}

std::vector<std::string> CommandLineOf(pid_t pid) {
  std::ifstream file(ProcDir(pid) / "cmdline");
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

bool IsShimProgram(std::string_view path) {
  return path.find("containerd-shim") != std::string_view::npos;
}

bool CommandLineNames(pid_t pid, const std::string& container_id) {
  const std::vector<std::string> words = CommandLineOf(pid);
  if (words.empty() || !IsShimProgram(words.front())) return false;
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    if (words[i] == "-id" && words[i + 1] == container_id) return true;
  }
  return false;
}

// The effective one; nothing if there is no such process.
std::optional<uid_t> UserOf(pid_t pid) {
  std::ifstream file(ProcDir(pid) / "status");
  std::string word;
  while (file >> word) {
    uid_t real = 0;
    uid_t effective = 0;
    if (word == "Uid:" && file >> real >> effective) return effective;
  }
  return std::nullopt;
}

}  // namespace

BootTicks BootTicksNow() {
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const auto ticks = static_cast<BootTicks>(sysconf(_SC_CLK_TCK));
  return static_cast<BootTicks>(now.tv_sec) * ticks +
         static_cast<BootTicks>(now.tv_nsec) * ticks / 1'000'000'000;
}

GuestMark GuestMark::OfContainer(const std::string& id) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (id.size() != kContainerIdDigits || !std::all_of(id.begin(), id.end(), is_digit)) {
    throw Error("the daemon told no container's id, which has 64 hexadecimal digits");
  }
  return {id, /*is_container=*/true};
}

GuestMark GuestMark::OfCgroup(const std::string& path) {
  if (!BearsOurName(path)) throw Error("'" + path + "' is no control group of this program");
  return {path, /*is_container=*/false};
}

bool GuestMark::IsIn(std::string_view cgroup_path) const {
  const std::vector<std::string_view> parts = PartsOf(cgroup_path);
  if (container_) {
    return std::any_of(parts.begin(), parts.end(),
                       [this](std::string_view part) { return HoldsWord(part, text_); });
  }
  const std::string launch = text_ + "-launch";
  for (const std::string& name : {text_, launch}) {
    const std::vector<std::string_view> ours = PartsOf(name);
    if (std::search(parts.begin(), parts.end(), ours.begin(), ours.end()) != parts.end()) {
      return true;
    }
  }
  return false;
}

ProvedProcess IdentityProof::OfMember(pid_t pid, const GuestMark& mark, BootTicks not_before) {
  UniqueFd pidfd = OpenPidfd(pid);
  RequireCandidate(pid, not_before);
  const auto groups = ControlGroupsOf(pid);
  if (std::none_of(groups.begin(), groups.end(),
                   [&](const auto& group) { return mark.IsIn(group.second); })) {
    RequireAlive(pidfd, pid);
    // It has left its groups of version 1 already.
    if (const auto stat = StatOfProcess(pid); !stat || stat->has_ended) {
      throw ProcessGone("process " + std::to_string(pid) + " has ended");
    }
    throw NotProved(DescribeProcess(pid) + " is in the control group " + GroupsText(groups) +
                    ", which does not bear the name " + mark.text());
  }
  RequireAlive(pidfd, pid);
  return {pid, std::move(pidfd)};
}

ProvedProcess IdentityProof::OfShim(pid_t pid, const std::string& container_id,
                                    BootTicks not_before, const Process& child) {
  UniqueFd pidfd = OpenPidfd(pid);
  RequireCandidate(pid, not_before);
  const auto refuse = [&](const char* why) {
    throw NotProved(DescribeProcess(pid) + " is not the shim of container " + container_id + ": " +
                    why);
  };
  if (!CommandLineNames(pid, container_id)) refuse("its command line is another");
  const auto user = UserOf(pid);
  if (user != uid_t{0} && user != geteuid()) refuse("it is another user's");
  std::error_code unreadable;  // to an ordinary user, of root's processes
  const fs::path program = fs::read_symlink(ProcDir(pid) / "exe", unreadable);
  if (!unreadable && !IsShimProgram(program.native())) refuse("it is another program");
  const bool is_parent = child.pid() > 0 && ParentOfProcess(child.pid()) == pid;
  if (!is_parent) {
    const fs::path bundle = fs::read_symlink(ProcDir(pid) / "cwd", unreadable);
    if (unreadable || bundle.filename() != container_id) refuse("it is not in its bundle");
  }
  RequireAlive(pidfd, pid);
  return {pid, std::move(pidfd)};
}

ProvedProcess IdentityProof::OfDescendant(pid_t pid, const Process& root, BootTicks not_before) {
  UniqueFd pidfd = OpenPidfd(pid);
  RequireCandidate(pid, not_before);
  std::optional<pid_t> ancestor = pid;
  for (int i = 0; ancestor && ancestor != root.pid(); ++i) {
    if (*ancestor <= kInit || i == kMaxAncestors) {
      throw NotProved(DescribeProcess(pid) + " does not descend from the guest's");
    }
    ancestor = ParentOfProcess(*ancestor);
  }
  if (!ancestor) throw NotProved(DescribeProcess(pid) + " has lost its parent");
  RequireAlive(pidfd, pid);
  return {pid, std::move(pidfd)};
}

ProvedProcess IdentityProof::OfOwnChild(pid_t pid) {
  UniqueFd pidfd = OpenPidfd(pid);
  if (ParentOfProcess(pid) != getpid()) {
    throw NotProved(DescribeProcess(pid) + " is not a child of this program");
  }
  return {pid, std::move(pidfd)};
}

bool IsAlive(const ProvedProcess& process) { return PidfdIsAlive(process.pidfd().get()); }

std::map<std::string, std::string> ControlGroupsOf(pid_t pid) {
  // "<hierarchy>:<controllers>:<path>"; no controllers mean version 2.
  std::map<std::string, std::string> groups;
  std::ifstream file(ProcDir(pid) / "cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string path = line.substr(second + 1);
    for (const std::string& controller :
         SplitAtCommas(line.substr(first + 1, second - first - 1))) {
      groups[controller] = path;
    }
    if (second == first + 1) groups[""] = path;
  }
  return groups;
}

bool BearsOurName(std::string_view cgroup_path) {
  const std::vector<std::string_view> parts = PartsOf(cgroup_path);
  return std::any_of(parts.begin(), parts.end(), [](std::string_view part) {
    return part.starts_with("hvbench-") || part == "hvbench.slice";
  });
}

void RequireForeign(const std::vector<pid_t>& members, const std::string& group) {
  const std::vector<pid_t> lineage = OwnLineage();
  for (const pid_t member : members) {
    if (member <= 0) {
      throw NotProved("the control group " + group +
                      " holds processes of another PID namespace: it was left alone");
    }
    if (std::find(lineage.begin(), lineage.end(), member) != lineage.end()) {
      throw NotProved("the control group " + group + " holds " + DescribeProcess(member) +
                      ", which is this program or one of its ancestors: it was left alone");
    }
  }
}

void RequireYounger(const std::vector<pid_t>& members, BootTicks not_before,
                    const std::string& group) {
  for (const pid_t member : members) {
    const auto stat = StatOfProcess(member);
    if (stat && stat->start_ticks < not_before) {
      throw NotProved("the control group " + group + " holds " + DescribeProcess(member) +
                      ", which is older than the guest: it was left alone");
    }
  }
}

std::vector<pid_t> OwnLineage() {
  std::vector<pid_t> lineage = {getpid()};
  for (int i = 0; i < kMaxAncestors; ++i) {
    const auto parent = ParentOfProcess(lineage.back());
    if (!parent || *parent <= 0) break;  // 0: the namespace's first process, or out of its sight
    lineage.push_back(*parent);
  }
  return lineage;
}

std::optional<Unusable> WhyListenerIsForeign(const std::string& daemon, const fs::path& socket) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (socket.native().size() >= sizeof address.sun_path) return std::nullopt;
  socket.native().copy(address.sun_path, sizeof address.sun_path - 1);
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (!fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid > 0) {
    return std::nullopt;
  }
  return Unusable{
      daemon + " runs in another PID namespace: it names processes that are others here",
      kSameNamespaceFix};
}

std::string ExplainForeignProcess(const std::string& daemon, pid_t pid, const Error& error) {
  return daemon + " runs in another PID namespace, or names processes that are not its guests': " +
         "it named process " + std::to_string(pid) + ", but " + error.what();
}

std::string DescribeProcess(pid_t pid) {
  std::string name;
  std::getline(std::ifstream(ProcDir(pid) / "comm"), name);
  return "process " + std::to_string(pid) + (name.empty() ? "" : " (" + Printable(name) + ")");
}

}  // namespace hvbench
