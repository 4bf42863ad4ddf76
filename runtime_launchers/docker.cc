// Docker with its own OCI runtime, runc, or the one that the options name.
#include "runtime_launchers/docker/launcher.h"

namespace hvbench {

DockerRuntime GvisorUnderDocker();  // gvisor.cc
DockerRuntime KataUnderDocker();    // kata.cc

std::unique_ptr<Launcher> MakeDocker(RuntimeOptions options) {
  return MakeDockerLauncher(std::move(options), "runc", {GvisorUnderDocker(), KataUnderDocker()});
}

}  // namespace hvbench
