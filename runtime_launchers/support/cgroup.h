// Control groups of version 1, version 2 and both at once (hybrid), behind one face.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime_launchers/support/cgroup_mounts.h"
#include "runtime_launchers/support/deadline.h"
#include "runtime_launchers/support/identity.h"

namespace hvbench {

// What this machine has: kHybrid is version 1 controllers with a version 2 tree beside them.
CgroupVersion DetectCgroupVersion();
std::string_view Describe(CgroupVersion version);

struct CgroupLimits {
  std::vector<int> cpus;        // empty: no limit
  std::int64_t memory_mib = 0;  // 0: no limit. Swap is not to be used beyond it.
};

// One group of processes in all hierarchies that matter here (cpu accounting, cpuset, memory,
// freezer, pids). The object is a name: it owns nothing, removal is explicit. What bears neither a
// name that this program alone gives nor a proved guest's, and what holds this program or one of
// its ancestors, is never frozen, killed or removed: NotProved (identity.h).
class Cgroup {
 public:
  // The group named `path` ("/hvbench-1/native-1"), made or not. Below the one that CgroupBase()
  // says, as all of ours are.
  explicit Cgroup(const std::string& path);
  // One that somebody else names, from the mount points on: systemd's scopes are elsewhere.
  static Cgroup OnMachine(const std::string& path);
  // The same, made here and now. NotProved if it was there before; SystemError as Create. Leaves
  // nothing where it fails.
  static Cgroup MakeNew(const std::string& path, const CgroupLimits& limits);
  // The same in the hierarchy that counts CPU time, and in no other: entering each one costs its
  // processes up to a grace period of the kernel's.
  static Cgroup ForCpuTime(const std::string& path);
  // The group that a daemon put a proved process into, by the hierarchies' own paths, as far as
  // they bear the guest's name. NotProved if none of them does or can be reached here, or one has
  // members that are older than the guest.
  static Cgroup OfGuest(const ProvedProcess& process, const GuestMark& mark, BootTicks not_before);

  // Makes it and its parents. SystemError if this user may not.
  void Create(const CgroupLimits& limits) const;
  // The files that a process writes its pid to in order to enter.
  std::vector<std::filesystem::path> ProcsFiles() const;
  // Moves a process into the group, which is one of ours, as far as the kernel lets it.
  void Admit(const ProvedProcess& process) const;
  // All in the group and in the groups below it.
  std::vector<pid_t> Processes() const;
  std::chrono::nanoseconds CpuTime() const;
  // "out of memory" kills so far; nothing where the kernel does not count them.
  std::optional<std::int64_t> OomKills() const;
  // Return when all processes are frozen or running; TimedOut otherwise.
  void Freeze(Deadline deadline) const;
  void Thaw(Deadline deadline) const;
  // Kills all processes (thaws first) and removes the group and all below it.
  void KillAndRemove(Deadline deadline) const;
  bool Exists() const;

 private:
  struct Hierarchy {
    std::string controller;  // "cpuset", ...; "" for version 2
    std::filesystem::path dir;
  };
  Cgroup() = default;
  std::string Path() const;  // in one hierarchy, for people
  void RequireOurs() const;
  void KillMembers() const;
  std::vector<Hierarchy> hierarchies_;
  bool proved_ = false;  // or its name is one of ours
  std::vector<std::filesystem::path> DirsOf(std::string_view controller) const;
};

// Names ("/hvbench-...") of groups with that prefix where ours live, in any hierarchy.
std::vector<std::string> FindTopLevelCgroups(std::string_view prefix);

}  // namespace hvbench
