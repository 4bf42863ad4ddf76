// gVisor: runsc, an OCI runtime whose guests run on a kernel in user space. Its platforms differ in
// how that kernel gets hold of the guest's system calls.
#include <cctype>

#include "runtime_launchers/oci.h"
#include "runtime_launchers/support/kvm.h"

namespace hvbench {
namespace {

// gVisor's blog "Releasing Systrap", 28 April 2023.
constexpr int kFirstSystrapDate = 20230428;

constexpr char kNewerRunsc[] =
    "install a newer runsc (Debian's backports have one, or https://gvisor.dev/docs/user_guide/"
    "install) and name it with HVBENCH_RUNSC=/path/to/runsc";

// The first eight digits in a row: "release-20221219.0" and "0.0~20240729.0" carry their date.
int DateOfVersion(const std::string& version) {
  std::string digits;
  for (const char c : version) {
    digits = std::isdigit(static_cast<unsigned char>(c)) ? digits + c : "";
    if (digits.size() == 8) return std::stoi(digits);
  }
  return 0;
}

std::optional<Unusable> CheckSystrap(const std::string& version) {
  const int date = DateOfVersion(version);
  if (date == 0 || date >= kFirstSystrapDate) return std::nullopt;
  return Unusable{"runsc " + version + " is too old for the systrap platform (April 2023)",
                  kNewerRunsc};
}

std::optional<Unusable> ExplainFailure(const std::string& log) {
  if (log.find("invalid platform") != std::string::npos ||
      log.find("unknown platform") != std::string::npos) {
    return Unusable{"this runsc does not have that platform", kNewerRunsc};
  }
  return std::nullopt;
}

OciRuntime Gvisor(const std::string& platform) {
  OciRuntime runtime;
  runtime.command = "runsc";
  runtime.binary_variable = "HVBENCH_RUNSC";
  runtime.install_fix = "apt-get install runsc, or name one with HVBENCH_RUNSC=/path/to/runsc";
  runtime.options = {"--platform=" + platform};
  // Its own network stack on the device of the guest's namespace, which is what its users have; or
  // a namespace with nothing in it, like all other guests.
  runtime.network_options = {"--network=sandbox"};
  runtime.isolated_options = {"--network=none"};
  // runsc (runsc/sandbox/network.go) takes rmem_default in there for the sign of the host's own
  // namespace, but newer kernels show it in every namespace.
  runtime.covered_sysctls = "/proc/sys/net/core";
  runtime.facts = {{"accelerator", platform == "kvm" ? "kvm" : "none"},
                   {"guest_kernel", "gVisor sentry"},
                   {"platform", platform}};
  runtime.explain = ExplainFailure;
  return runtime;
}

}  // namespace

std::unique_ptr<Launcher> MakeGvisor(RuntimeOptions options) {
  OciRuntime runtime = Gvisor("systrap");
  runtime.check = CheckSystrap;
  return MakeOciLauncher(std::move(options), std::move(runtime));
}

std::unique_ptr<Launcher> MakeGvisorPtrace(RuntimeOptions options) {
  return MakeOciLauncher(std::move(options), Gvisor("ptrace"));
}

std::unique_ptr<Launcher> MakeGvisorKvm(RuntimeOptions options) {
  OciRuntime runtime = Gvisor("kvm");
  runtime.check = [](const std::string&) { return CheckKvm(); };
  return MakeOciLauncher(std::move(options), std::move(runtime));
}

}  // namespace hvbench
