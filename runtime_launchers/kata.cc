// Kata Containers: a container in a VM of its own, which containerd starts through Kata's shim. The
// runtimes differ in the VMM, which a configuration file chooses. The option that a runtimes file
// may give: "config=PATH", such a file.
#include <unistd.h>

#include <fstream>
#include <utility>

#include "runtime_launchers/containerd/launcher.h"
#include "runtime_launchers/docker/launcher.h"
#include "runtime_launchers/kata_config.h"
#include "runtime_launchers/probe.h"
#include "runtime_launchers/support/file_hash.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/process.h"
#include "runtime_launchers/vm/kvm.h"

namespace hvbench {

DockerRuntime KataUnderDocker();  // for docker.cc too

namespace {

namespace fs = std::filesystem;

constexpr char kKataShim[] = "containerd-shim-kata-v2";
constexpr char kInstall[] =
    "scripts/install-runtimes.sh kata, or https://github.com/kata-containers/kata-containers";
constexpr auto kKataVersionTimeout = std::chrono::seconds(20);  // the first start reads 50 MB
constexpr auto kKataTrialTimeout = std::chrono::minutes(4);     // Kata gives up by itself before
// What both shims accept; the one in Go takes its own default of 2 GiB for anything smaller.
constexpr std::int64_t kLeastMemoryMib = 256;

struct KataVmm {
  std::string name;   // for people
  std::string table;  // as ReadKataConfig has it
  // Names of configuration files: of the shim in Rust, then of the one in Go.
  std::vector<std::string> rust_configs;
  std::vector<std::string> go_configs;
};

struct ShimInfo {
  fs::path path;
  std::string version;
  bool is_rust = false;
};

// Beside the shim, as the releases have it, and where distributions put it.
std::vector<fs::path> ConfigFolders(const fs::path& shim) {
  std::vector<fs::path> folders = {"/etc/kata-containers"};
  std::error_code error;
  fs::path folder = fs::canonical(shim, error).parent_path();
  for (int up = 0; up < 2; ++up) {  // PREFIX/bin or PREFIX/runtime-rs/bin
    folder = folder.parent_path();
    folders.push_back(folder / "share/defaults/kata-containers");
  }
  folders.emplace_back("/opt/kata/share/defaults/kata-containers");
  folders.emplace_back("/usr/share/defaults/kata-containers");
  return folders;
}

// The state of a sandbox, of both shims (virtcontainers/persist, runtime-rs' shim-interface).
std::vector<fs::path> ShimFolders(const std::string& guest_id) {
  std::vector<fs::path> folders;
  for (const char* parent :
       {"/run/kata-containers/shared/sandboxes", "/run/vc/vm", "/run/vc/sbs", "/run/kata"}) {
    folders.push_back(fs::path(parent) / guest_id);
  }
  return folders;
}

class Kata {
 public:
  Kata(RuntimeOptions options, KataVmm vmm);

  std::optional<Unusable> Check(std::string& version) const;
  ContainerdTask Prepare(const LaunchRequest& request) const;

 private:
  fs::path ShimName() const { return options_.binary.empty() ? kKataShim : options_.binary; }
  std::optional<Unusable> FindShim(ShimInfo& shim) const;
  std::optional<Unusable> FindConfig(const ShimInfo& shim, KataConfig& config) const;
  static std::optional<Unusable> CheckFiles(const KataConfig& config);

  RuntimeOptions options_;
  KataVmm vmm_;
  fs::path given_config_;
};

Kata::Kata(RuntimeOptions options, KataVmm vmm)
    : options_(std::move(options)), vmm_(std::move(vmm)) {
  constexpr std::string_view kConfig = "config=";
  for (const std::string& option : options_.options) {
    if (!option.starts_with(kConfig)) {
      throw Error("runtime " + options_.name + " has the unknown option '" + option +
                  "'; Kata takes 'config=PATH'");
    }
    given_config_ = option.substr(kConfig.size());
  }
}

std::optional<Unusable> Kata::FindShim(ShimInfo& shim) const {
  InstalledProgram program;
  if (auto problem =
          FindInstalled(ShimName(), kInstall, Deadline::In(kKataVersionTimeout), program)) {
    return problem;
  }
  shim.path = fs::absolute(program.binary);
  const std::string& output = program.version_output;
  // "Kata Containers containerd shim (Rust): id: ..., version: 4.2.0, commit: ..."
  constexpr std::string_view kKey = "version: ";
  if (const std::size_t at = output.find(kKey); at != std::string::npos) {
    const std::size_t begin = at + kKey.size();
    shim.version = output.substr(begin, output.find_first_of(",\n", begin) - begin);
  }
  shim.is_rust = output.find("(Golang)") == std::string::npos;
  return std::nullopt;
}

std::optional<Unusable> Kata::FindConfig(const ShimInfo& shim, KataConfig& config) const {
  std::vector<fs::path> candidates;
  if (!given_config_.empty()) {
    candidates = {given_config_};
  } else {
    std::vector<std::string> names = shim.is_rust ? vmm_.rust_configs : vmm_.go_configs;
    names.emplace_back("configuration.toml");
    for (const std::string& name : names) {
      for (const fs::path& folder : ConfigFolders(shim.path)) candidates.push_back(folder / name);
    }
  }
  for (const fs::path& candidate : candidates) {
    if (auto found = ReadKataConfig(candidate, vmm_.table)) {
      config = std::move(*found);
      return std::nullopt;
    }
  }
  return Unusable{"there is no configuration of Kata for " + vmm_.name + ", such as " +
                      candidates.front().string(),
                  kInstall};
}

std::optional<Unusable> Kata::CheckFiles(const KataConfig& config) {
  const auto missing = [&](const std::string& what, const std::string& path) {
    return Unusable{"the " + what + " that " + config.file.string() +
                        " names is missing: " + (path.empty() ? "(none)" : path),
                    kInstall};
  };
  const std::string vmm = config.Get("path");
  if (!FindExecutable(vmm)) return missing("VMM", vmm);
  if (const std::string kernel = config.Get("kernel"); !fs::exists(kernel)) {
    return missing("guest kernel image", kernel);
  }
  const std::string image = config.Get("image");
  if (const std::string initrd = config.Get("initrd"); !fs::exists(image) && !fs::exists(initrd)) {
    return missing("guest image", image.empty() ? initrd : image);
  }
  const std::string daemon = config.Get("virtio_fs_daemon");
  if (config.Get("shared_fs") == "virtio-fs" && !FindExecutable(daemon)) {
    return missing("virtiofsd", daemon);
  }
  return std::nullopt;
}

std::optional<Unusable> Kata::Check(std::string& version) const {
  ShimInfo shim;
  if (auto unusable = FindShim(shim)) return unusable;
  version = "Kata " + shim.version + (shim.is_rust ? " (Rust)" : " (Go)");
  if (auto problem = CheckRoot()) return problem;
  KataConfig config;
  if (auto unusable = FindConfig(shim, config)) return unusable;
  if (auto unusable = CheckFiles(config)) return unusable;
  // It does not start without: "Unix syslog delivery error".
  if (!shim.is_rust && !fs::exists("/dev/log")) {
    return Unusable{"there is no system log at /dev/log, which Kata's shim in Go wants",
                    "start one: syslogd, rsyslogd or systemd-journald"};
  }
  if (access("/dev/vhost-vsock", R_OK | W_OK) != 0) {
    return Unusable{"/dev/vhost-vsock is missing: Kata reaches its agent through it",
                    "modprobe vhost_vsock"};
  }
  return CheckKvm();
}

// A copy of the user's configuration with a drop-in file of ours, the last of all.
fs::path WriteConfig(const KataConfig& config, const LaunchRequest& request) {
  const fs::path folder = fs::absolute(request.guest_dir / "kata");
  const fs::path drop_ins = folder / "config.d";
  fs::create_directories(drop_ins);
  const fs::path copy = folder / config.file.filename();
  fs::copy_file(config.file, copy);
  if (const fs::path given = config.file.parent_path() / "config.d"; fs::exists(given)) {
    fs::copy(given, drop_ins, fs::copy_options::recursive);
  }
  const std::string vcpus = std::to_string(request.shape.vcpus);
  std::ofstream file(drop_ins / "zz-hvbench.toml");
  // Exactly the guest's shape, nothing plugged in afterwards; all processes in the one control
  // group that the suite watches; a network only where there is one to connect to.
  file << "[" << config.table << "]\n"
       << "default_vcpus = " << vcpus << "\n"
       << "default_maxvcpus = " << vcpus << "\n"
       << "default_memory = " << request.shape.memory_mib << "\n"
       << "[runtime]\n"
       << "sandbox_cgroup_only = true\n"
       << "static_sandbox_resource_mgmt = true\n";
  if (!request.network) {
    file << "internetworking_model = \"none\"\n"
         << "disable_new_netns = true\n";
  }
  file.close();
  if (!file) throw Error("cannot write Kata's configuration in " + folder.string());
  return copy;
}

ContainerdTask Kata::Prepare(const LaunchRequest& request) const {
  ShimInfo shim;
  KataConfig config;
  auto unusable = FindShim(shim);
  if (!unusable) unusable = FindConfig(shim, config);
  if (unusable) throw Error(unusable->reason + ": " + unusable->fix);
  if (request.shape.memory_mib < kLeastMemoryMib) {
    throw Error("Kata's VMs have at least " + std::to_string(kLeastMemoryMib) +
                " MiB: --hvbench_memory_mib=" + std::to_string(kLeastMemoryMib));
  }
  ContainerdTask task;
  task.runtime = shim.path.string();
  task.runtime_options = ConfigFileOptions(WriteConfig(config, request), "");
  task.is_vm = true;
  task.shim_folders = ShimFolders(request.guest_id);
  task.programs = {shim.path};
  for (const char* program : {"path", "virtio_fs_daemon"}) {
    if (const auto found = FindExecutable(config.Get(program))) task.programs.push_back(*found);
  }
  for (const char* image : {"kernel", "image", "initrd"}) {
    if (const fs::path file = config.Get(image); fs::exists(file)) task.images.push_back(file);
  }
  task.facts = {{"accelerator", "kvm"},
                {"guest_kernel", fs::path(config.Get("kernel")).filename().string()},
                {"vmm", config.Get("path")},
                {"kata_config", config.file.string()},
                {"binary_sha256", Sha256OfFile(shim.path)}};
  return task;
}

std::unique_ptr<Launcher> MakeKataLauncher(RuntimeOptions options, KataVmm vmm) {
  const auto kata = std::make_shared<const Kata>(options, std::move(vmm));
  ContainerdRuntime runtime;
  runtime.check = [kata](std::string& version) { return kata->Check(version); };
  runtime.prepare = [kata](const LaunchRequest& request) { return kata->Prepare(request); };
  runtime.shim_folders = ShimFolders;
  runtime.trial_memory_mib = kLeastMemoryMib;
  runtime.trial_timeout = kKataTrialTimeout;
  return MakeContainerdLauncher(std::move(options), std::move(runtime));
}

}  // namespace

std::unique_ptr<Launcher> MakeKata(RuntimeOptions options) {
  return MakeKataLauncher(
      std::move(options),
      {"QEMU", "qemu", {"configuration-qemu-runtime-rs.toml"}, {"configuration-qemu.toml"}});
}

std::unique_ptr<Launcher> MakeKataClh(RuntimeOptions options) {
  return MakeKataLauncher(
      std::move(options),
      {"Cloud Hypervisor",
       "cl",  // [hypervisor.clh] or [hypervisor.cloud-hypervisor]
       {"configuration-clh-runtime-rs.toml", "configuration-cloud-hypervisor.toml"},
       {"configuration-clh.toml"}});
}

std::unique_ptr<Launcher> MakeKataFc(RuntimeOptions options) {
  return MakeKataLauncher(std::move(options),
                          {"Firecracker",
                           "firecracker",
                           {"configuration-fc-runtime-rs.toml", "configuration-rs-fc.toml"},
                           {"configuration-fc.toml"}});
}

DockerRuntime KataUnderDocker() {
  DockerRuntime runtime;
  runtime.program = "kata";
  runtime.accelerator = "kvm";
  runtime.guest_kernel = "Kata's";
  runtime.is_vm = true;
  // It reads the devices of its namespace before one could be moved there.
  runtime.network_device = NetworkDevice::kNone;
  runtime.shim_name = "io.containerd.kata.v2";
  runtime.shim_program = kKataShim;
  runtime.install_fix = "scripts/install-runtimes.sh kata, and Docker 23 or newer";
  runtime.check = CheckKvm;
  return runtime;
}

std::unique_ptr<Launcher> MakeDockerKata(RuntimeOptions options) {
  return MakeDockerLauncher(std::move(options), "kata", {KataUnderDocker()});
}

}  // namespace hvbench
