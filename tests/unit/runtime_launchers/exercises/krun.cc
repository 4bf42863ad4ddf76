// crun with libkrun: each container is a virtual machine, in the process of the runtime itself.
#include "runtime_launchers/oci/launcher.h"
#include "runtime_launchers/vm/kvm.h"

namespace hvbench {

std::unique_ptr<Launcher> MakeKrun(RuntimeOptions options) {
  OciRuntime runtime;
  runtime.command = "krun";
  runtime.install_fix = "dnf install crun-krun";
  runtime.facts = {{"accelerator", "kvm"}, {"guest_kernel", "libkrunfw's"}};
  runtime.extras = {{{"run.oci.handler", "krun"}}, {"/dev/kvm"}};
  runtime.vmm_memory_mib = 64;
  runtime.network_device = NetworkDevice::kNone;
  runtime.application_form = ApplicationForm::kNone;
  runtime.check = [](const std::string&) { return CheckKvm(); };
  return MakeOciLauncher(std::move(options), std::move(runtime));
}

}  // namespace hvbench
