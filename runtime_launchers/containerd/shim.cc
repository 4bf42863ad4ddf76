#include "runtime_launchers/containerd/shim.h"

#include <sys/mount.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "runtime_launchers/support/proc_stats.h"

namespace hvbench {
namespace {

// In which containerd removes a container on a busy host, unless its shim stands still.
constexpr auto kRemovalPatience = std::chrono::seconds(5);
// In which a shim ends by itself once its task is removed.
constexpr auto kShimGrace = std::chrono::seconds(2);

std::vector<pid_t> AllProcesses() {
  std::vector<pid_t> pids;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;  // stays so for what is no process
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid > 0) pids.push_back(pid);
  }
  return pids;
}

std::vector<pid_t> ProcessTree(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  for (const pid_t pid : AllProcesses()) {
    if (const auto parent = ParentOfProcess(pid)) children.emplace(*parent, pid);
  }
  std::vector<pid_t> tree = {root};
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const auto [begin, end] = children.equal_range(tree[i]);
    for (auto child = begin; child != end; ++child) tree.push_back(child->second);
  }
  return tree;
}

}  // namespace

std::optional<Process> FindShim(const std::string& container_id, BootTicks not_before,
                                const Process& child) {
  const auto prove = [&](pid_t candidate) -> std::optional<Process> {
    try {
      return Process::Adopt(IdentityProof::OfShim(candidate, container_id, not_before, child));
    } catch (const Error&) {
      return std::nullopt;  // another process, as nearly all are
    }
  };
  if (const auto parent = child.pid() > 0 ? ParentOfProcess(child.pid()) : std::nullopt) {
    if (auto shim = prove(*parent)) return shim;
  }
  for (const pid_t pid : AllProcesses()) {
    if (auto shim = prove(pid)) return shim;
  }
  return std::nullopt;
}

void RemoveContainer(const std::string& container_id,
                     const std::function<std::optional<Process>()>& find_shim, Deadline deadline) {
  std::exception_ptr refusal;
  const auto ask_containerd = [&](Deadline until) {
    refusal = nullptr;
    try {
      ContainerdClient(/*interruptible=*/false).Remove(container_id, until);
    } catch (const Error&) {
      refusal = std::current_exception();
    }
  };
  ask_containerd(Deadline(std::min(deadline.when(), Deadline::In(kRemovalPatience).when())));
  if (std::optional<Process> shim = find_shim()) {
    shim->Wait(Deadline::In(kShimGrace));
    shim.reset();  // kills what did not end
    ask_containerd(deadline);
  }
  if (refusal) std::rethrow_exception(refusal);
}

void MoveProcessTree(const Process& root, const Cgroup& cgroup) {
  for (const pid_t pid : ProcessTree(root.pid())) {
    try {
      cgroup.Admit(IdentityProof::OfDescendant(pid, root, BootTicks{0}));
    } catch (const Error&) {
      // It has ended, or become another's.
    }
  }
}

void RemoveMountedFolder(const std::filesystem::path& folder) noexcept {
  const std::string prefix = folder.string() + "/";
  std::vector<std::string> mount_points;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string skipped;
    std::string mount_point;
    fields >> skipped >> skipped >> skipped >> skipped >> mount_point;
    if (mount_point.starts_with(prefix)) mount_points.push_back(mount_point);
  }
  for (auto last = mount_points.rbegin(); last != mount_points.rend(); ++last) {
    if (umount2(last->c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

}  // namespace hvbench
