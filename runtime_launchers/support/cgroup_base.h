// Below which group the suite's own groups live, and how a version 2 tree lets them have
// controllers there.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace hvbench {

// The group below which all of ours live, as the mount points show it: "" for their top, or
// "/user.slice/.../run-1.service". Version 2 has subtrees that systemd or a container's manager
// delegates: in one of them nothing of ours is made above it. The variable HVBENCH_CGROUP says it
// instead. Found once; throws Error for a bad variable.
const std::string& CgroupBase();

// The name of the group that Cgroup(path) stands for, for a runtime or a daemon that takes one from
// the mount points on, such as OCI's cgroupsPath.
std::string CgroupsPathOf(const std::string& path);

// The rule of CgroupBase. `own` is this program's group, `top` and the groups below it as the mount
// point shows them. The nearest that was delegated to this user; or for an ordinary user the
// highest one that belongs to them, since older systemd marks delegation for root's eyes only; or
// "".
struct CgroupOwnership {
  std::function<bool(const std::string& group)> is_delegated;  // to this user
  std::function<bool(const std::string& group)> is_owned;      // by this user
  bool is_root = false;
};
std::string FindCgroupBase(const std::string& own, const CgroupOwnership& ownership);

// Lets the groups below `group` have the controllers that the suite uses, of those that `group`
// has. A group with processes in it cannot (EBUSY): where they are but this program and its
// children, they move to a leaf beside ours, and back when the program ends. SystemError otherwise.
void GiveControllersBelow(const std::filesystem::path& group);

}  // namespace hvbench
