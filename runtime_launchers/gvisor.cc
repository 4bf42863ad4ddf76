// gVisor: runsc, an OCI runtime whose guests run on a kernel in user space. Its platforms differ in
// how that kernel gets hold of the guest's system calls.
#include <linux/capability.h>
#include <sys/prctl.h>

#include <cctype>
#include <cstring>
#include <fstream>

#include "runtime_launchers/containerd/launcher.h"
#include "runtime_launchers/docker/launcher.h"
#include "runtime_launchers/oci/launcher.h"
#include "runtime_launchers/support/file_hash.h"
#include "runtime_launchers/vm/kvm.h"

namespace hvbench {

DockerRuntime GvisorUnderDocker();  // for docker.cc too

namespace {

// The memory that gVisor's kernel gives to its guest.
constexpr char kMemoryFile[] = "runsc-memory";
// gVisor's blog "Releasing Systrap", 28 April 2023.
constexpr int kFirstSystrapDate = 20230428;

constexpr char kNewerRunsc[] =
    "scripts/install-runtimes.sh gvisor, or Debian's backports, and name it with "
    "HVBENCH_RUNSC=/path/to/runsc";

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
  runtime.guest_memory_file = kMemoryFile;
  runtime.explain = ExplainFailure;
  return runtime;
}

constexpr char kGvisorShim[] = "containerd-shim-runsc-v1";
constexpr char kGvisorShimConfigKind[] = "io.containerd.runsc.v1.options";

// The first containerd that understands how newer shims tell their address (BootstrapParams).
constexpr char kFirstContainerd[] = "1.7";

// gVisor's own shim for containerd: beside runsc, as its releases have it, or in PATH. Nothing
// where it could not start: with an older containerd, or without the right to lower its OOM score,
// whose refusal it takes for fatal (its manager.go).
std::optional<std::filesystem::path> FindRunscShim(const std::filesystem::path& runsc,
                                                   Deadline deadline) {
  const std::string containerd = ContainerdClient(/*interruptible=*/true).Version(deadline);
  const std::size_t digits = containerd.find_first_of("0123456789");
  if (prctl(PR_CAPBSET_READ, CAP_SYS_RESOURCE) != 1 || digits == std::string::npos ||
      strverscmp(containerd.c_str() + digits, kFirstContainerd) < 0) {
    return std::nullopt;
  }
  std::error_code error;
  if (auto shim =
          FindExecutable(std::filesystem::canonical(runsc, error).parent_path() / kGvisorShim)) {
    return shim;
  }
  return FindExecutable(kGvisorShim);
}

// runsc's global options as the shim's configuration: "--platform=systrap" as `platform =
// "systrap"`.
std::filesystem::path WriteShimConfig(const std::filesystem::path& guest_dir,
                                      const std::vector<std::string>& command) {
  const std::filesystem::path path = std::filesystem::absolute(guest_dir / "runsc.toml");
  std::ofstream file(path);
  file << "binary_name = \"" << command.front() << "\"\n[runsc_config]\n";
  for (std::size_t i = 1; i < command.size(); ++i) {
    const std::string option = command[i].substr(command[i].find_first_not_of('-'));
    const std::size_t equals = option.find('=');
    file << option.substr(0, equals) << " = \""
         << (equals == std::string::npos ? "true" : option.substr(equals + 1)) << "\"\n";
  }
  file.close();
  if (!file) throw Error("cannot write " + path.string());
  return path;
}

}  // namespace

std::unique_ptr<Launcher> MakeGvisor(RuntimeOptions options) {
  OciRuntime runtime = Gvisor("systrap");
  runtime.check = CheckSystrap;
  return MakeOciLauncher(std::move(options), std::move(runtime));
}

std::unique_ptr<Launcher> MakeContainerdGvisor(RuntimeOptions options) {
  OciRuntime oci = Gvisor("systrap");
  oci.check = CheckSystrap;
  ContainerdRuntime runtime = OnRuncShim(options, oci);
  // A shim's runsc sees the host's files, which covered_sysctls would hide from it.
  runtime.network_device = NetworkDevice::kNone;
  runtime.prepare = [options, oci, on_runc_shim = runtime.prepare](const LaunchRequest& request) {
    const std::vector<std::string> command = OciCommand(options, oci, /*has_network=*/false);
    const auto shim = FindRunscShim(command.front(), request.deadline);
    if (!shim) return on_runc_shim(request);
    ContainerdTask task;
    task.runtime = shim->string();
    task.runtime_options =
        ConfigFileOptions(WriteShimConfig(request.guest_dir, command), kGvisorShimConfigKind);
    task.facts = oci.facts;
    task.facts["binary_sha256"] = Sha256OfFile(command.front());
    return task;
  };
  return MakeContainerdLauncher(std::move(options), std::move(runtime));
}

DockerRuntime GvisorUnderDocker() {
  DockerRuntime runtime;
  runtime.program = "runsc";
  runtime.guest_kernel = "gVisor sentry";
  runtime.guest_memory_file = kMemoryFile;
  // It reads the devices of its namespace before one could be moved there.
  runtime.network_device = NetworkDevice::kNone;
  runtime.explain = [](const std::string& reason) -> std::optional<Unusable> {
    // Newer kernels show net.core.rmem_default in every network namespace; older runsc take that
    // for the sign of the host's own.
    if (reason.find("root network namespace") == std::string::npos) return std::nullopt;
    return Unusable{
        reason,
        R"(give that runtime "runtimeArgs": ["--network=none"] in /etc/docker/daemon.json)"};
  };
  return runtime;
}

std::unique_ptr<Launcher> MakeDockerGvisor(RuntimeOptions options) {
  return MakeDockerLauncher(std::move(options), "runsc", {GvisorUnderDocker()});
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
