// youki, an OCI runtime written in Rust.
#include "runtime_launchers/oci/launcher.h"

namespace hvbench {

std::unique_ptr<Launcher> MakeYouki(RuntimeOptions options) {
  OciRuntime runtime;
  runtime.command = "youki";
  runtime.install_fix = "https://github.com/youki-dev/youki/releases";
  runtime.facts = {{"accelerator", "none"}, {"guest_kernel", "host"}};
  return MakeOciLauncher(std::move(options), std::move(runtime));
}

}  // namespace hvbench
