// The one place that decides whose a process or a control group is. hvbench runs as root beside
// other people's work: what a daemon, a file or a command line names is a guest's only when the
// kernel says so as well. Signals, freezes, moves and removals go through the types here.
//
// A proof reads files of /proc between opening a pidfd and finding it still alive, so that all of
// them were the same process's: its pid was not free in the meantime.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/unique_fd.h"
#include "runtime_launchers/support/unusable.h"

namespace hvbench {

class Process;

// Something is there, but not ours as far as can be told: it was left alone.
class NotProved : public Error {
 public:
  using Error::Error;
};

// There is no such process in this PID namespace, or not any more.
class ProcessGone : public Error {
 public:
  using Error::Error;
};

// Clock ticks since boot: a process's start as /proc/<pid>/stat has it, rounded down.
using BootTicks = std::uint64_t;
BootTicks BootTicksNow();

// A name that the control groups of one guest alone bear.
class GuestMark {
 public:
  // The id of a container that a daemon made for us. Error unless it is one: 64 hexadecimal digits.
  static GuestMark OfContainer(const std::string& id);
  // A group of ours, "/hvbench-<run>/<guest>", with all below it and the one beside it that the
  // commands which launch the guest are in.
  static GuestMark OfCgroup(const std::string& path);

  // Whether a path as /proc/<pid>/cgroup has it bears the name, whole: "<id>", "docker-<id>.scope".
  bool IsIn(std::string_view cgroup_path) const;
  const std::string& text() const { return text_; }

 private:
  GuestMark(std::string text, bool is_container)
      : text_(std::move(text)), container_(is_container) {}
  std::string text_;
  bool container_;
};

// A process that was shown to be a guest's own, by the functions below alone.
class ProvedProcess {
 public:
  pid_t pid() const { return pid_; }
  const UniqueFd& pidfd() const { return pidfd_; }
  UniqueFd TakePidfd() { return std::move(pidfd_); }

 private:
  friend class IdentityProof;
  ProvedProcess(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  pid_t pid_;
  UniqueFd pidfd_;
};

// Each is never a kernel thread, pid 1, this program or one of its ancestors; and none that started
// before `not_before`, when nothing of the guest existed. They throw ProcessGone and NotProved.
class IdentityProof {
 public:
  // A process in a control group that bears the mark.
  static ProvedProcess OfMember(pid_t pid, const GuestMark& mark, BootTicks not_before);
  // containerd's shim of a container. Its command line names the container, which anyone can write,
  // so it must also be the parent of `child`, the container's process (Process(): unknown), or have
  // the container's bundle as its working directory, as containerd starts it; and be root's or
  // ours.
  static ProvedProcess OfShim(pid_t pid, const std::string& container_id, BootTicks not_before,
                              const Process& child);
  // A descendant of a process that was proved or started by us, or that process itself.
  static ProvedProcess OfDescendant(pid_t pid, const Process& root, BootTicks not_before);
  // A child of this program that nobody has waited for yet: its pid cannot be another's.
  static ProvedProcess OfOwnChild(pid_t pid);
};

// Whether the process still runs: what was read of it by its pid until now was its own.
bool IsAlive(const ProvedProcess& process);

// The control groups of a process by controller ("cpuset"; "" for version 2), as the kernel writes
// their paths; empty if there is no such process.
std::map<std::string, std::string> ControlGroupsOf(pid_t pid);

// Whether one of a cgroup path's parts is a name that this program alone gives.
bool BearsOurName(std::string_view cgroup_path);

// To be called before a group is frozen or removed, with the members that its files list. Throws
// NotProved if this program or one of its ancestors is among them, or a process of an outer PID
// namespace.
void RequireForeign(const std::vector<pid_t>& members, const std::string& group);

// For a group that a daemon made. Throws NotProved if one of its members is older than the guest.
void RequireYounger(const std::vector<pid_t>& members, BootTicks not_before,
                    const std::string& group);

// This program, its parent and so on, as far as they are visible here.
std::vector<pid_t> OwnLineage();

// A daemon's pids mean nothing here if the process that listens on its socket is not visible.
// Nothing if it is, or nobody listens.
std::optional<Unusable> WhyListenerIsForeign(const std::string& daemon,
                                             const std::filesystem::path& socket);
inline constexpr char kSameNamespaceFix[] =
    "run hvbench where the daemon runs: on its machine, or in a container with --pid=host";

// Why what a daemon named for its guest cannot be used, and what that usually means.
std::string ExplainForeignProcess(const std::string& daemon, pid_t pid, const Error& error);

// "process 4711 (sleep)"
std::string DescribeProcess(pid_t pid);

}  // namespace hvbench
