#include "runtime_launchers/support/cgroup_base.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string_view>

#include "runtime_launchers/support/cgroup_files.h"
#include "runtime_launchers/support/cgroup_mounts.h"
#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/proc_stats.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

// In version 2 the cpu time is counted, and processes are frozen, without any controller.
constexpr std::array<std::string_view, 3> kOurV2Controllers = {"cpuset", "memory", "pids"};

constexpr char kBaseVariable[] = "HVBENCH_CGROUP";
// Where this program waits out the rule that a group with controllers below it has no processes.
// Not called like a run's group.
constexpr char kLeaf[] = "hvbench-leaf";

const CgroupMount* V2Mount() {
  for (const CgroupMount& mount : CgroupMounts()) {
    if (mount.is_v2) return &mount;
  }
  return nullptr;
}

std::string OwnV2Path() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::")) return line.substr(3);
  }
  return "";
}

// systemd marks what it delegates, for root and since version 246 for everybody (cgroup-setup.c).
bool IsMarkedAsDelegated(const fs::path& dir) {
  for (const char* name : {"trusted.delegate", "user.delegate"}) {
    char value = 0;
    if (getxattr(dir.c_str(), name, &value, 1) == 1 && value == '1') return true;
  }
  return false;
}

bool IsOwned(const fs::path& dir) {
  struct stat status = {};
  return stat(dir.c_str(), &status) == 0 && status.st_uid == geteuid();
}

std::string BaseOfVariable(const char* value) {
  const fs::path base = fs::path(value).lexically_normal();
  if (!base.is_absolute() || *++base.begin() == "..") {
    throw Error(std::string(kBaseVariable) + "=" + value +
                " is no group: it is one like /benchmarks.slice, or / for the top");
  }
  return base == "/" ? "" : base.string();
}

std::string FindBase() {
  if (const char* variable = std::getenv(kBaseVariable); variable && *variable != '\0') {
    return BaseOfVariable(variable);
  }
  const CgroupMount* const mount = V2Mount();
  // A name that is given to a runtime stands for one group in all hierarchies, and only version 2's
  // is delegated as a whole.
  if (mount == nullptr || VersionOf(CgroupMounts()) != CgroupVersion::kV2) return "";
  const auto dir = [mount](const std::string& group) {
    return mount->mount_point / fs::path(group).relative_path();
  };
  CgroupOwnership ownership;
  ownership.is_root = geteuid() == 0;
  ownership.is_owned = [&](const std::string& group) { return IsOwned(dir(group)); };
  ownership.is_delegated = [&](const std::string& group) {
    return IsOwned(dir(group)) && IsMarkedAsDelegated(dir(group));
  };
  return FindCgroupBase((fs::path("/") / mount->BelowMountPoint(OwnV2Path())).string(), ownership);
}

bool HasWord(const std::string& text, std::string_view word) {
  std::istringstream words(text);
  for (std::string found; words >> found;) {
    if (found == word) return true;
  }
  return false;
}

bool IsBase(const fs::path& group) {
  const CgroupMount* const mount = V2Mount();
  return mount != nullptr && group == mount->mount_point / fs::path(CgroupBase()).relative_path();
}

bool IsOursToMove(pid_t pid) { return pid == getpid() || ParentOfProcess(pid) == getpid(); }

// The group that this program left, until it ends.
class LeftGroup {
 public:
  static LeftGroup& Instance() {
    static LeftGroup instance;
    return instance;
  }
  // False if others are in there.
  bool Leave(const fs::path& group) {
    const std::lock_guard lock(mutex_);
    std::vector<pid_t> pids;
    std::ifstream procs(group / "cgroup.procs");
    for (pid_t pid = 0; procs >> pid;) {
      if (!IsOursToMove(pid)) return false;
      pids.push_back(pid);
    }
    if (pids.empty()) return true;  // another thread was faster
    const fs::path leaf = group / kLeaf;
    if (mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) return false;
    group_ = group;
    left_by_ = getpid();
    for (const pid_t pid : pids) Move(pid, leaf);
    return true;
  }
  ~LeftGroup() {
    if (left_by_ != getpid()) return;
    // All of them, of which OCI runtimes give more than we do: it had processes, and so gave none.
    std::istringstream given(ReadCgroupFile(group_ / "cgroup.subtree_control"));
    for (std::string controller; given >> controller;) {
      std::ofstream(group_ / "cgroup.subtree_control") << "-" << controller;
    }
    Move(getpid(), group_);
    rmdir((group_ / kLeaf).c_str());
  }

 private:
  LeftGroup() = default;
  static void Move(pid_t pid, const fs::path& group) {
    std::ofstream(group / "cgroup.procs") << pid;
  }

  std::mutex mutex_;
  fs::path group_;
  pid_t left_by_ = -1;
};

}  // namespace

const std::string& CgroupBase() {
  static const std::string kBase = FindBase();
  return kBase;
}

std::string CgroupsPathOf(const std::string& path) { return CgroupBase() + path; }

std::string FindCgroupBase(const std::string& own, const CgroupOwnership& ownership) {
  std::string highest_owned;
  for (fs::path group = own; group.has_relative_path(); group = group.parent_path()) {
    if (ownership.is_delegated(group.string())) return group.string();
    if (ownership.is_root) continue;
    if (!ownership.is_owned(group.string())) break;
    highest_owned = group.string();
  }
  return highest_owned;
}

void GiveControllersBelow(const fs::path& group) {
  const std::string available = ReadCgroupFile(group / "cgroup.controllers");
  const std::string given = ReadCgroupFile(group / "cgroup.subtree_control");
  std::vector<std::string> orders;
  for (const std::string_view controller : kOurV2Controllers) {
    if (HasWord(available, controller) && !HasWord(given, controller)) {
      orders.push_back("+" + std::string(controller));
    }
  }
  if (orders.empty()) return;
  // Not tried first: beside processes the kernel gives cpuset and pids, but to threads alone. The
  // root, which has no type, may have processes in it.
  if (IsBase(group) && fs::exists(group / "cgroup.type") && !LeftGroup::Instance().Leave(group)) {
    throw SystemError("the cgroup " + group.string() +
                          " holds other processes, and then has none below it with limits; start "
                          "hvbench alone in a group: systemd-run --scope -p Delegate=yes (as an "
                          "ordinary user with --user), or name another with " +
                          kBaseVariable,
                      EBUSY);
  }
  for (const std::string& order : orders) {
    WriteCgroupFile(group / "cgroup.subtree_control", order);
  }
}

}  // namespace hvbench
