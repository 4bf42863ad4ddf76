// Where the control group hierarchies are mounted.
#pragma once

#include <filesystem>
#include <functional>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

namespace hvbench {

enum class CgroupVersion { kNone, kV1, kHybrid, kV2 };

struct CgroupMount {
  bool is_v2 = false;
  bool read_only = false;
  std::vector<std::string> controllers;  // {"cpu", "cpuacct"}, {"name=systemd"}; version 2: {""}
  std::filesystem::path mount_point;
  // The group that the mount point shows: "/" on most machines; a container's own without a cgroup
  // namespace; "/.." and more of them for one above the namespace's.
  std::string root;

  bool Has(std::string_view controller) const;
  // A group's path as /proc/<pid>/cgroup has it, relative to the mount point; "" for the mount
  // point itself and for groups outside of what it shows.
  std::filesystem::path BelowMountPoint(const std::string& group) const;
};

// Whether the file system of that device ("0:29") is what is seen at a mount point.
using IsSeen = std::function<bool(const std::filesystem::path& mount_point, const std::string&)>;

// Reads the format of /proc/<pid>/mountinfo. Each hierarchy once: where it is mounted first of all
// places that are seen, and writable if one of them is.
std::vector<CgroupMount> ParseCgroupMounts(
    std::istream& mountinfo, const IsSeen& is_seen = [](const auto&, const auto&) { return true; });

// The mounts that this process sees, read once.
const std::vector<CgroupMount>& CgroupMounts();

// Whether a controller of version 1 is one that the suite limits, counts or freezes with.
bool IsOurController(std::string_view controller);

// Decided by who has these controllers; systemd's own hierarchy, or a single one of another kind
// beside version 2 (net_cls is such a one), limits and counts nothing.
CgroupVersion VersionOf(const std::vector<CgroupMount>& mounts);

// Whether version 2 is there and has to do what no hierarchy of version 1 does: all of it, or on a
// hybrid machine a part.
bool NeedsV2(const std::vector<CgroupMount>& mounts);

std::vector<std::string> SplitAtCommas(std::string_view text);

}  // namespace hvbench
