#include "runtime_launchers/support/cgroup.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <set>
#include <string_view>

#include "runtime_launchers/support/cgroup_base.h"
#include "runtime_launchers/support/cgroup_files.h"
#include "runtime_launchers/support/cgroup_mounts.h"
#include "runtime_launchers/support/cpu_set.h"
#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/proc_stats.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr auto kPollInterval = std::chrono::milliseconds(1);

// The number behind `key` in a file of "key number" lines.
std::optional<std::int64_t> ReadKey(const fs::path& file, std::string_view key) {
  std::ifstream stream(file);
  std::string word;
  std::int64_t value = 0;
  while (stream >> word >> value) {
    if (word == key) return value;
  }
  return std::nullopt;
}

// The kernel puts threads of its own into the groups of KVM's and vhost's users (before Linux 6.13
// and 6.4), and it never freezes those: such a group does not count as frozen. True if it has them,
// and none of its other threads runs: each was told, and does not get back to its program.
bool AllButKernelThreadsStopped(const std::vector<fs::path>& groups) {
  bool has_kernel_threads = false;
  for (const fs::path& group : groups) {
    std::ifstream threads(group / "cgroup.threads");
    for (pid_t thread = 0; threads >> thread;) {
      const auto state = StateOfThread(thread);
      if (!state) continue;  // it has just ended
      has_kernel_threads = has_kernel_threads || state->is_kernel_thread;
      if (!state->is_kernel_thread && state->runs) return false;
    }
  }
  return has_kernel_threads;
}

bool IsDirectory(const fs::path& dir) {
  std::error_code error;
  return fs::is_directory(dir, error);
}

// The groups from just below the mount point down to `dir`.
std::vector<fs::path> Lineage(const fs::path& mount_point, const fs::path& dir) {
  std::vector<fs::path> groups;
  fs::path group = mount_point;
  for (const fs::path& name : dir.lexically_relative(mount_point)) {
    group /= name;
    groups.push_back(group);
  }
  return groups;
}

// Parents before children.
std::vector<fs::path> Subtree(const fs::path& dir) {
  std::vector<fs::path> dirs = {dir};
  std::error_code error;
  for (std::size_t i = 0; i < dirs.size(); ++i) {
    for (const auto& entry : fs::directory_iterator(dirs[i], error)) {
      if (entry.is_directory(error)) dirs.push_back(entry.path());
    }
  }
  return dirs;
}

// A new version 1 cpuset has neither CPUs nor memory nodes, and then accepts no process.
void FillCpuset(const fs::path& group) {
  for (const char* file : {"cpuset.mems", "cpuset.cpus"}) {
    if (ReadCgroupFile(group / file).empty()) {
      WriteCgroupFile(group / file, ReadCgroupFile(group.parent_path() / file));
    }
  }
}

void LimitMemoryV1(const fs::path& dir, std::int64_t bytes) {
  const std::string text = std::to_string(bytes);
  WriteCgroupFile(dir / "memory.limit_in_bytes", text);
  // Missing on kernels without swap accounting.
  const fs::path with_swap = dir / "memory.memsw.limit_in_bytes";
  if (fs::exists(with_swap)) WriteCgroupFile(with_swap, text);
}

void CreateV1(const CgroupMount& mount, const fs::path& dir, const CgroupLimits& limits) {
  for (const fs::path& group : Lineage(mount.mount_point, dir)) {
    MakeCgroupDirectory(group);
    if (mount.Has("cpuset")) FillCpuset(group);
  }
  if (mount.Has("cpuset") && !limits.cpus.empty()) {
    WriteCgroupFile(dir / "cpuset.cpus", FormatCpuList(limits.cpus));
  }
  if (mount.Has("memory") && limits.memory_mib > 0) LimitMemoryV1(dir, limits.memory_mib << 20);
}

void RequireController(const fs::path& dir, const char* file, const char* controller) {
  if (fs::exists(dir / file)) return;
  throw SystemError("the cgroup " + dir.string() + " has no controller " + controller +
                        ": it was not delegated to hvbench's own (systemctl edit user@.service, "
                        "Delegate=cpuset memory pids)",
                    EOPNOTSUPP);
}

void CreateV2(const CgroupMount& mount, const fs::path& dir, const CgroupLimits& limits) {
  // What lies above our own groups is not ours to change.
  fs::path parent = mount.mount_point / fs::path(CgroupBase()).relative_path();
  for (const fs::path& group : Lineage(parent, dir)) {
    GiveControllersBelow(parent);
    MakeCgroupDirectory(group);
    parent = group;
  }
  if (!limits.cpus.empty()) {
    RequireController(dir, "cpuset.cpus", "cpuset");
    WriteCgroupFile(dir / "cpuset.cpus", FormatCpuList(limits.cpus));
  }
  if (limits.memory_mib > 0) {
    RequireController(dir, "memory.max", "memory");
    WriteCgroupFile(dir / "memory.max", std::to_string(limits.memory_mib << 20));
    const fs::path swap = dir / "memory.swap.max";
    if (fs::exists(swap)) WriteCgroupFile(swap, "0");
  }
}

// Without those that a hierarchy of version 1 sees to.
CgroupLimits LimitsOfV2(CgroupLimits limits) {
  for (const CgroupMount& mount : CgroupMounts()) {
    if (mount.Has("cpuset")) limits.cpus.clear();
    if (mount.Has("memory")) limits.memory_mib = 0;
  }
  return limits;
}

// Sets `file` to `wanted` until `reached` sees it take effect: a version 1 freezer stays at
// FREEZING while a process is in the midst of forking, and wants to be asked again.
template <typename Reached>
void ChangeState(const fs::path& file, const std::string& wanted, Reached reached,
                 Deadline deadline) {
  while (true) {
    WriteCgroupFile(file, wanted);
    for (int polls = 0; polls < 20; ++polls) {
      if (reached()) return;
      if (deadline.Passed()) {
        throw TimedOut("the cgroup did not reach state " + wanted + " in " + file.string());
      }
      Pause(kPollInterval, /*interruptible=*/false);
    }
  }
}

}  // namespace

CgroupVersion DetectCgroupVersion() { return VersionOf(CgroupMounts()); }

std::string_view Describe(CgroupVersion version) {
  switch (version) {
    case CgroupVersion::kNone:
      return "none";
    case CgroupVersion::kV1:
      return "v1";
    case CgroupVersion::kHybrid:
      return "hybrid";
    case CgroupVersion::kV2:
      return "v2";
  }
  return "?";
}

Cgroup::Cgroup(const std::string& path) {
  const fs::path relative = fs::path(path).relative_path().lexically_normal();
  if (relative.empty() || relative == "." || *relative.begin() == "..") {
    throw Error("'" + path + "' does not name a cgroup below the root");
  }
  for (const CgroupMount& mount : CgroupMounts()) {
    for (const std::string& controller : mount.controllers) {
      hierarchies_.push_back(
          {controller, mount.mount_point / fs::path(CgroupBase()).relative_path() / relative});
    }
  }
  proved_ = BearsOurName(path);
}

Cgroup Cgroup::OnMachine(const std::string& path) {
  Cgroup group(path);
  const fs::path relative = fs::path(path).relative_path().lexically_normal();
  group.hierarchies_.clear();
  for (const CgroupMount& mount : CgroupMounts()) {
    for (const std::string& controller : mount.controllers) {
      group.hierarchies_.push_back({controller, mount.mount_point / relative});
    }
  }
  return group;
}

Cgroup Cgroup::ForCpuTime(const std::string& path) {
  Cgroup group(path);
  const std::vector<fs::path> dirs = group.DirsOf("cpuacct");
  std::erase_if(group.hierarchies_, [&](const Hierarchy& hierarchy) {
    return std::find(dirs.begin(), dirs.end(), hierarchy.dir) == dirs.end();
  });
  return group;
}

Cgroup Cgroup::MakeNew(const std::string& path, const CgroupLimits& limits) {
  Cgroup group(path);
  if (group.Exists()) {
    throw NotProved("the control group " + path + " was there before its guest: it was left alone");
  }
  try {
    group.Create(limits);
    return group;
  } catch (...) {
    try {
      group.KillAndRemove(Deadline());
    } catch (const Error&) {
      // The first failure is the one to tell.
    }
    throw;
  }
}

Cgroup Cgroup::OfGuest(const ProvedProcess& process, const GuestMark& mark, BootTicks not_before) {
  const auto path_of = ControlGroupsOf(process.pid());
  const bool needs_v2 = NeedsV2(CgroupMounts());
  Cgroup cgroup;
  for (const CgroupMount& mount : CgroupMounts()) {
    for (const std::string& controller : mount.controllers) {
      if (mount.is_v2 ? !needs_v2 : !IsOurController(controller)) continue;
      const auto found = path_of.find(controller);
      if (found == path_of.end() || !mark.IsIn(found->second)) continue;
      const fs::path relative = mount.BelowMountPoint(found->second);
      if (!relative.empty())
        cgroup.hierarchies_.push_back({controller, mount.mount_point / relative});
    }
  }
  if (!IsAlive(process)) {
    throw ProcessGone("process " + std::to_string(process.pid()) + " has ended");
  }
  if (cgroup.hierarchies_.empty()) {
    throw NotProved("the control group of " + DescribeProcess(process.pid()) +
                    " cannot be reached here, or does not bear the name " + mark.text());
  }
  const std::vector<pid_t> members = cgroup.Processes();
  RequireForeign(members, cgroup.Path());
  RequireYounger(members, not_before, cgroup.Path());
  cgroup.proved_ = true;
  return cgroup;
}

std::string Cgroup::Path() const {
  return hierarchies_.empty() ? "" : hierarchies_.front().dir.string();
}

void Cgroup::RequireOurs() const {
  if (!proved_) {
    throw NotProved("the control group " + Path() + " is not known to be ours: it was left " +
                    "alone");
  }
  RequireForeign(Processes(), Path());
}

std::vector<fs::path> Cgroup::DirsOf(std::string_view controller) const {
  std::vector<fs::path> dirs;
  for (const Hierarchy& hierarchy : hierarchies_) {
    if (hierarchy.controller == controller) dirs.push_back(hierarchy.dir);
  }
  // What no hierarchy of version 1 has is in the one tree of version 2.
  if (dirs.empty() && !controller.empty()) return DirsOf("");
  return dirs;
}

void Cgroup::Create(const CgroupLimits& limits) const {
  const bool needs_v2 = NeedsV2(CgroupMounts());
  if (DetectCgroupVersion() == CgroupVersion::kNone)
    throw Error("this machine has no cgroups mounted");
  for (const CgroupMount& mount : CgroupMounts()) {
    const bool ours =
        std::any_of(mount.controllers.begin(), mount.controllers.end(), IsOurController);
    for (const Hierarchy& hierarchy : hierarchies_) {
      if (hierarchy.controller != mount.controllers.front()) continue;
      if (mount.is_v2 && needs_v2) CreateV2(mount, hierarchy.dir, LimitsOfV2(limits));
      if (!mount.is_v2 && ours) CreateV1(mount, hierarchy.dir, limits);
    }
  }
}

std::vector<fs::path> Cgroup::ProcsFiles() const {
  std::set<fs::path> files;
  for (const Hierarchy& hierarchy : hierarchies_) {
    if (IsDirectory(hierarchy.dir)) files.insert(hierarchy.dir / "cgroup.procs");
  }
  return {files.begin(), files.end()};
}

void Cgroup::Admit(const ProvedProcess& process) const {
  if (!proved_) throw NotProved("the control group " + Path() + " is not known to be ours");
  for (const fs::path& file : ProcsFiles()) {
    if (IsAlive(process)) std::ofstream(file) << process.pid();
  }
}

std::vector<pid_t> Cgroup::Processes() const {
  std::set<pid_t> pids;
  for (const Hierarchy& hierarchy : hierarchies_) {
    if (!IsDirectory(hierarchy.dir)) continue;
    for (const fs::path& dir : Subtree(hierarchy.dir)) {
      std::ifstream file(dir / "cgroup.procs");
      for (pid_t pid = 0; file >> pid;) pids.insert(pid);
    }
  }
  return {pids.begin(), pids.end()};
}

std::chrono::nanoseconds Cgroup::CpuTime() const {
  for (const fs::path& dir : DirsOf("cpuacct")) {
    if (const auto usec = ReadKey(dir / "cpu.stat", "usage_usec")) {
      return std::chrono::microseconds(*usec);
    }
    std::int64_t ns = 0;
    if (std::ifstream(dir / "cpuacct.usage") >> ns) return std::chrono::nanoseconds(ns);
  }
  return {};
}

std::optional<std::int64_t> Cgroup::OomKills() const {
  for (const fs::path& dir : DirsOf("memory")) {
    for (const char* file : {"memory.events", "memory.oom_control"}) {
      if (const auto kills = ReadKey(dir / file, "oom_kill")) return kills;
    }
  }
  return std::nullopt;
}

void Cgroup::Freeze(Deadline deadline) const {
  RequireOurs();
  for (const fs::path& dir : DirsOf("freezer")) {
    const fs::path v1_file = dir / "freezer.state";
    if (fs::exists(v1_file)) {
      ChangeState(
          v1_file, "FROZEN", [&] { return ReadCgroupFile(v1_file) == "FROZEN"; }, deadline);
    } else {
      ChangeState(
          dir / "cgroup.freeze", "1",
          [&] {
            return ReadKey(dir / "cgroup.events", "frozen") == 1 ||
                   AllButKernelThreadsStopped(Subtree(dir));
          },
          deadline);
    }
  }
}

void Cgroup::Thaw(Deadline deadline) const {
  RequireOurs();
  for (const fs::path& dir : DirsOf("freezer")) {
    const fs::path v1_file = dir / "freezer.state";
    if (fs::exists(v1_file)) {
      ChangeState(
          v1_file, "THAWED", [&] { return ReadCgroupFile(v1_file) == "THAWED"; }, deadline);
    } else if (fs::exists(dir / "cgroup.freeze")) {
      ChangeState(
          dir / "cgroup.freeze", "0", [&] { return ReadKey(dir / "cgroup.events", "frozen") == 0; },
          deadline);
    }
  }
}

// A pidfd of each, and then a second look: what is still listed under its pid is what it watches.
void Cgroup::KillMembers() const {
  constexpr std::size_t kAtOnce = 64;  // of descriptors
  std::map<pid_t, UniqueFd> watched;
  for (const pid_t pid : Processes()) {
    UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (pidfd) watched.emplace(pid, std::move(pidfd));
    if (watched.size() == kAtOnce) break;
  }
  for (const pid_t pid : Processes()) {
    const auto found = watched.find(pid);
    if (found == watched.end()) continue;
    syscall(SYS_pidfd_send_signal, found->second.get(), SIGKILL, nullptr, 0);
  }
}

void Cgroup::KillAndRemove(Deadline deadline) const {
  auto interval = std::chrono::microseconds(200);
  if (!Exists()) return;
  while (true) {
    RequireOurs();
    // Killed first and thawed then: a frozen process dies without running again.
    KillMembers();
    // Also what is forking right now; version 2 alone has such a file.
    for (const fs::path& dir : DirsOf("")) std::ofstream(dir / "cgroup.kill") << "1";
    for (const fs::path& dir : DirsOf("freezer")) {
      for (const fs::path& group : IsDirectory(dir) ? Subtree(dir) : std::vector<fs::path>{}) {
        std::ofstream(group / "freezer.state") << "THAWED";
        std::ofstream(group / "cgroup.freeze") << "0";
      }
    }
    for (const Hierarchy& hierarchy : hierarchies_) {
      if (!IsDirectory(hierarchy.dir)) continue;
      const std::vector<fs::path> groups = Subtree(hierarchy.dir);
      for (auto group = groups.rbegin(); group != groups.rend(); ++group) rmdir(group->c_str());
    }
    if (!Exists()) return;
    if (deadline.Passed()) break;
    Pause(std::max<Deadline::Clock::duration>(interval, kPollInterval), /*interruptible=*/false);
    interval = std::min(interval * 2, std::chrono::microseconds(20'000));
  }
  std::string left;
  for (const pid_t pid : Processes()) left += " " + std::to_string(pid);
  throw TimedOut("cannot remove the cgroup " + Path() +
                 (left.empty() ? "" : ": these processes do not die:" + left));
}

bool Cgroup::Exists() const {
  return std::any_of(hierarchies_.begin(), hierarchies_.end(),
                     [](const Hierarchy& hierarchy) { return IsDirectory(hierarchy.dir); });
}

std::vector<std::string> FindTopLevelCgroups(std::string_view prefix) {
  std::set<std::string> names;
  std::error_code error;
  for (const CgroupMount& mount : CgroupMounts()) {
    for (const auto& entry : fs::directory_iterator(
             mount.mount_point / fs::path(CgroupBase()).relative_path(), error)) {
      const std::string name = "/" + entry.path().filename().string();
      if (entry.is_directory(error) && name.starts_with(prefix)) names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace hvbench
