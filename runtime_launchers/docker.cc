// Docker with its own OCI runtime, runc. With gVisor's and Kata's: gvisor.cc, kata.cc.
#include "runtime_launchers/docker/launcher.h"

namespace hvbench {

std::unique_ptr<Launcher> MakeDocker(RuntimeOptions options) {
  return MakeDockerLauncher(std::move(options), "runc", {});
}

}  // namespace hvbench
