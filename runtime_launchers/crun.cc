// crun, an OCI runtime written in C.
#include <fstream>

#include "runtime_launchers/oci/launcher.h"
#include "runtime_launchers/support/cgroup_mounts.h"

namespace hvbench {
namespace {

// crun (libcrun/cgroup-utils.c) refuses to work beside a version 2 tree that still has controllers
// while the others are of version 1; without seeing that tree it takes the machine for version 1.
std::filesystem::path RefusedCgroupTree() {
  std::filesystem::path tree;
  bool has_v1 = false;
  for (const CgroupMount& mount : CgroupMounts()) {
    has_v1 |= mount.Has("memory");
    std::string controller;
    if (mount.is_v2 && std::ifstream(mount.mount_point / "cgroup.controllers") >> controller) {
      tree = mount.mount_point;
    }
  }
  return has_v1 ? tree : "";
}

}  // namespace

std::unique_ptr<Launcher> MakeCrun(RuntimeOptions options) {
  OciRuntime runtime;
  runtime.command = "crun";
  runtime.install_fix = "apt-get install crun";
  runtime.facts = {{"accelerator", "none"}, {"guest_kernel", "host"}};
  runtime.hidden_mount = RefusedCgroupTree();
  return MakeOciLauncher(std::move(options), std::move(runtime));
}

}  // namespace hvbench
