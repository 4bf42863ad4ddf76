// runc, the reference implementation of the OCI runtime specification; called by the suite, or by
// containerd.
#include "runtime_launchers/containerd/launcher.h"
#include "runtime_launchers/oci/launcher.h"

namespace hvbench {
namespace {

OciRuntime Runc() {
  OciRuntime runtime;
  runtime.command = "runc";
  runtime.install_fix = "apt-get install runc";
  runtime.facts = {{"accelerator", "none"}, {"guest_kernel", "host"}};
  return runtime;
}

}  // namespace

std::unique_ptr<Launcher> MakeRunc(RuntimeOptions options) {
  return MakeOciLauncher(std::move(options), Runc());
}

std::unique_ptr<Launcher> MakeContainerdRunc(RuntimeOptions options) {
  ContainerdRuntime runtime = OnRuncShim(options, Runc());
  return MakeContainerdLauncher(std::move(options), std::move(runtime));
}

}  // namespace hvbench
