#include "runtime_launchers/containerd_shim.h"

#include <sys/mount.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <vector>

#include "runtime_launchers/support/proc_stats.h"

namespace hvbench {
namespace {

// "containerd-shim-runc-v2\0-namespace\0moby\0-id\0<id>\0...": the words, each with its end.
bool ServesContainer(const std::string& command_line, const std::string& id) {
  const std::string program = command_line.substr(0, command_line.find('\0'));
  return program.find("containerd-shim") != std::string::npos &&
         command_line.find(std::string("\0-id\0", 5) + id + '\0') != std::string::npos;
}

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

std::optional<pid_t> FindShim(const std::string& container_id) {
  for (const pid_t pid : AllProcesses()) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
    const std::string command_line((std::istreambuf_iterator<char>(file)),
                                   std::istreambuf_iterator<char>());
    if (ServesContainer(command_line, container_id)) return pid;
  }
  return std::nullopt;
}

void MoveProcessTree(pid_t root, const Cgroup& cgroup) {
  for (const pid_t pid : ProcessTree(root)) {
    for (const std::filesystem::path& file : cgroup.ProcsFiles()) std::ofstream(file) << pid;
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
