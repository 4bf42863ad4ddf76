// runc, the reference implementation of the OCI runtime specification.
#include "runtime_launchers/oci.h"

namespace hvbench {

std::unique_ptr<Launcher> MakeRunc(RuntimeOptions options) {
  OciRuntime runtime;
  runtime.command = "runc";
  runtime.install_fix = "apt-get install runc";
  runtime.facts = {{"accelerator", "none"}, {"guest_kernel", "host"}};
  return MakeOciLauncher(std::move(options), std::move(runtime));
}

}  // namespace hvbench
