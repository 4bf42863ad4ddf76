#include "runtime_launchers/support/cgroup_mounts.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace hvbench {
namespace {

// Mount options of a version 1 hierarchy that are not controllers (cgroups(7)).
bool IsController(const std::string& option) {
  static const std::set<std::string> kOthers = {
      "rw",     "ro",     "xattr",          "noprefix",       "none",    "nodev",
      "nosuid", "noexec", "clone_children", "cpuset_v2_mode", "relatime"};
  return !kOthers.contains(option) && !option.starts_with("release_agent=");
}

}  // namespace

bool CgroupMount::Has(std::string_view controller) const {
  return std::find(controllers.begin(), controllers.end(), controller) != controllers.end();
}

std::filesystem::path CgroupMount::BelowMountPoint(const std::string& group) const {
  std::filesystem::path relative =
      std::filesystem::path(group).lexically_relative(root).lexically_normal();
  if (relative.empty() || relative == "." || *relative.begin() == "..") return {};
  return relative;
}

std::vector<CgroupMount> ParseCgroupMounts(std::istream& mountinfo) {
  // "36 35 98:0 <root> <mount point> <options> [<tag>...] - <type> <source> <super options>"
  std::vector<CgroupMount> mounts;
  std::set<std::vector<std::string>> seen;
  for (std::string line; std::getline(mountinfo, line);) {
    const std::size_t separator = line.find(" - ");
    if (separator == std::string::npos) continue;
    std::istringstream before(line.substr(0, separator));
    std::istringstream after(line.substr(separator + 3));
    std::string id, parent, device, type, source, options;
    CgroupMount mount;
    std::string mount_point;
    before >> id >> parent >> device >> mount.root >> mount_point;
    after >> type >> source >> options;
    mount.mount_point = mount_point;
    mount.is_v2 = type == "cgroup2";
    if (type == "cgroup") {
      for (const std::string& option : SplitAtCommas(options)) {
        if (IsController(option)) mount.controllers.push_back(option);
      }
    } else if (mount.is_v2) {
      mount.controllers = {""};
    }
    if (!mount.controllers.empty() && seen.insert(mount.controllers).second) {
      mounts.push_back(std::move(mount));
    }
  }
  return mounts;
}

const std::vector<CgroupMount>& CgroupMounts() {
  static const std::vector<CgroupMount> kMounts = [] {
    std::ifstream mountinfo("/proc/self/mountinfo");
    return ParseCgroupMounts(mountinfo);
  }();
  return kMounts;
}

std::vector<std::string> SplitAtCommas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace hvbench
