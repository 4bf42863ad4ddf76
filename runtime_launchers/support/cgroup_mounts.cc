#include "runtime_launchers/support/cgroup_mounts.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

namespace hvbench {
namespace {

// All that version 1 has ever had (linux/cgroup_subsys.h), and no more will come: new ones are of
// version 2 alone. What else stands among a mount's options depends on the distribution: "seclabel"
// of SELinux, "xattr", "release_agent=...".
constexpr std::array<std::string_view, 14> kV1Controllers = {
    "cpu",      "cpuacct", "cpuset",     "memory",  "devices", "freezer", "net_cls",
    "net_prio", "blkio",   "perf_event", "hugetlb", "pids",    "rdma",    "misc"};

// Those that the suite limits, measures or freezes with; runtimes may use others besides.
constexpr std::array<std::string_view, 5> kOurControllers = {"cpuacct", "cpuset", "memory",
                                                             "freezer", "pids"};

bool IsController(const std::string& option) {
  return option.starts_with("name=") ||
         std::find(kV1Controllers.begin(), kV1Controllers.end(), option) != kV1Controllers.end();
}

bool HasOption(std::string_view options, std::string_view wanted) {
  const std::vector<std::string> all = SplitAtCommas(options);
  return std::find(all.begin(), all.end(), wanted) != all.end();
}

// Something else may be mounted over it.
bool IsSeenHere(const std::filesystem::path& mount_point, const std::string& device) {
  struct stat seen = {};
  return stat(mount_point.c_str(), &seen) == 0 &&
         std::to_string(major(seen.st_dev)) + ":" + std::to_string(minor(seen.st_dev)) == device;
}

bool HasInV1(const std::vector<CgroupMount>& mounts, std::string_view controller) {
  return std::any_of(mounts.begin(), mounts.end(), [&](const CgroupMount& mount) {
    return !mount.is_v2 && mount.Has(controller);
  });
}

bool HasV2(const std::vector<CgroupMount>& mounts) {
  return std::any_of(mounts.begin(), mounts.end(),
                     [](const CgroupMount& mount) { return mount.is_v2; });
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

std::vector<CgroupMount> ParseCgroupMounts(std::istream& mountinfo, const IsSeen& is_seen) {
  // "36 35 98:0 <root> <mount point> <options> [<tag>...] - <type> <source> <super options>"
  std::vector<CgroupMount> mounts;
  for (std::string line; std::getline(mountinfo, line);) {
    const std::size_t separator = line.find(" - ");
    if (separator == std::string::npos) continue;
    std::istringstream before(line.substr(0, separator));
    std::istringstream after(line.substr(separator + 3));
    std::string id, parent, device, mount_point, options, type, source, super_options;
    CgroupMount mount;
    before >> id >> parent >> device >> mount.root >> mount_point >> options;
    after >> type >> source >> super_options;
    mount.mount_point = mount_point;
    mount.is_v2 = type == "cgroup2";
    mount.read_only = HasOption(options, "ro") || HasOption(super_options, "ro");
    if (type == "cgroup") {
      for (const std::string& option : SplitAtCommas(super_options)) {
        if (IsController(option)) mount.controllers.push_back(option);
      }
    } else if (mount.is_v2) {
      mount.controllers = {""};
    }
    if (mount.controllers.empty() || !is_seen(mount.mount_point, device)) continue;
    const auto same = std::find_if(mounts.begin(), mounts.end(), [&](const CgroupMount& other) {
      return other.controllers == mount.controllers;
    });
    if (same == mounts.end()) {
      mounts.push_back(std::move(mount));
    } else if (same->read_only && !mount.read_only) {
      *same = std::move(mount);
    }
  }
  return mounts;
}

const std::vector<CgroupMount>& CgroupMounts() {
  static const std::vector<CgroupMount> kMounts = [] {
    std::ifstream mountinfo("/proc/self/mountinfo");
    return ParseCgroupMounts(mountinfo, IsSeenHere);
  }();
  return kMounts;
}

bool IsOurController(std::string_view controller) {
  return std::find(kOurControllers.begin(), kOurControllers.end(), controller) !=
         kOurControllers.end();
}

CgroupVersion VersionOf(const std::vector<CgroupMount>& mounts) {
  const bool v1 = std::any_of(kOurControllers.begin(), kOurControllers.end(),
                              [&](std::string_view ours) { return HasInV1(mounts, ours); });
  if (v1) return HasV2(mounts) ? CgroupVersion::kHybrid : CgroupVersion::kV1;
  return HasV2(mounts) ? CgroupVersion::kV2 : CgroupVersion::kNone;
}

bool NeedsV2(const std::vector<CgroupMount>& mounts) {
  return HasV2(mounts) &&
         !std::all_of(kOurControllers.begin(), kOurControllers.end(),
                      [&](std::string_view ours) { return HasInV1(mounts, ours); });
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
