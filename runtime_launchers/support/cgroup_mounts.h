// Where the control group hierarchies are mounted.
#pragma once

#include <filesystem>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

namespace hvbench {

struct CgroupMount {
  bool is_v2 = false;
  std::vector<std::string> controllers;  // {"cpu", "cpuacct"}, {"name=systemd"}; version 2: {""}
  std::filesystem::path mount_point;
  std::string root;  // the group that the mount point shows; "/" unless this is a container

  bool Has(std::string_view controller) const;
  // A group's path as /proc/<pid>/cgroup has it, relative to the mount point; "" for the mount
  // point itself and for groups outside of what it shows.
  std::filesystem::path BelowMountPoint(const std::string& group) const;
};

// Reads the format of /proc/<pid>/mountinfo. Each hierarchy once, where it is mounted first.
std::vector<CgroupMount> ParseCgroupMounts(std::istream& mountinfo);

// Of this process, read once.
const std::vector<CgroupMount>& CgroupMounts();

std::vector<std::string> SplitAtCommas(std::string_view text);

}  // namespace hvbench
