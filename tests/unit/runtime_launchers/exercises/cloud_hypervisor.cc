// Cloud Hypervisor: a VMM that is steered by its command line alone.
#include "runtime_launchers/probe.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/vm/guest_boot.h"
#include "runtime_launchers/vm/kvm.h"
#include "runtime_launchers/vm/vmm_guest.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr char kCloudHypervisor[] = "cloud-hypervisor";
constexpr char kInstallCloudHypervisor[] =
    "https://github.com/cloud-hypervisor/cloud-hypervisor/releases";
constexpr auto kClhVersionTimeout = std::chrono::seconds(5);
constexpr std::uint32_t kClhAgentPort = 1024;
constexpr std::int64_t kClhMemoryMib = 64;

GuestMachine ClhMachine(const LaunchRequest& request) {
  GuestMachine machine;
  machine.has_pci = true;
  machine.bridge_module = "vmw_vsock_virtio_transport";
  machine.bridge_option = "--vsock=" + std::to_string(kClhAgentPort);
  machine.kernel_parameters = "reboot=k";
  machine.disks = GuestDisksOf(request);
  machine.network = request.network;
  return machine;
}

class ClhGuest : public VmmGuest {
 public:
  ClhGuest(const fs::path& binary, const LaunchRequest& request)
      : VmmGuest(binary, request.shape, kClhMemoryMib) {}
  ~ClhGuest() override { ForceDown(); }

  void Boot(const LaunchRequest& request, const GuestImage& image) {
    const GuestMachine machine = ClhMachine(request);
    const fs::path vsock = request.guest_dir / "v.sock";
    std::vector<std::string> command = {binary().string(),
                                        "--kernel",
                                        image.vmlinux.string(),
                                        "--initramfs",
                                        image.initramfs.string(),
                                        "--cmdline",
                                        "console=ttyS0 " + GuestCommandLine(machine),
                                        "--cpus",
                                        "boot=" + std::to_string(request.shape.vcpus),
                                        "--memory",
                                        "size=" + std::to_string(request.shape.memory_mib) + "M",
                                        "--serial",
                                        "tty",
                                        "--console",
                                        "off",
                                        "--vsock",
                                        "cid=3,socket=" + vsock.string()};
    if (!machine.disks.empty()) command.emplace_back("--disk");
    for (const GuestDisk& disk : machine.disks) command.push_back("path=" + disk.file.string());
    if (machine.network) {
      command.insert(command.end(), {"--net", "tap=" + machine.network->interface +
                                                  ",mac=" + machine.network->mac});
    }
    NoteFacts("kvm", image.guest_kernel_release, image.guest_kernel_sha256);
    AddFacts({{"command_line", CommandLine(command)}, {"transport", "vsock"}});
    EvictFromCache(request, {image.vmlinux, image.initramfs});
    NoteLaunchCalled();
    SpawnVmm(request, command, {});
    NoteProcessStarted();
    SetEndpoint(VsockOverUnixEndpoint{vsock, kClhAgentPort});
  }
};

class ClhLauncher : public Launcher {
 public:
  explicit ClhLauncher(RuntimeOptions options) : options_(std::move(options)) {}

  const std::string& name() const override { return options_.name; }
  NetworkDevice network_device() const override { return NetworkDevice::kTap; }
  bool has_root_image() const override { return true; }
  ApplicationForm application_form() const override { return ApplicationForm::kDisk; }
  void RemoveStale(const std::string&, const fs::path&) override {}

  ProbeResult Probe(ProbeDepth depth, const LaunchRequest& trial) override {
    return RunProbe(
        depth,
        [&](ProbeResult& result) -> std::optional<Unusable> {
          InstalledProgram program;
          if (auto problem = FindInstalled(BinaryName(), kInstallCloudHypervisor,
                                           Deadline::In(kClhVersionTimeout), program)) {
            return problem;
          }
          result.version = program.version_output.substr(0, program.version_output.find('\n'));
          if (auto problem = CheckRoot()) return problem;
          return CheckKvm();
        },
        [&]() -> std::optional<Unusable> {
          Image(trial);
          return std::nullopt;
        });
  }

  std::unique_ptr<Guest> Launch(const LaunchRequest& request) override {
    const fs::path binary = RequireProgram(BinaryName(), options_.name, kInstallCloudHypervisor);
    auto guest = std::make_unique<ClhGuest>(binary, request);
    guest->Boot(request, Image(request));
    return guest;
  }

 private:
  fs::path BinaryName() const {
    return options_.binary.empty() ? fs::path(kCloudHypervisor) : options_.binary;
  }
  GuestImage Image(const LaunchRequest& request) const {
    if (options_.images == nullptr) throw Error(options_.name + " was made without guest images");
    return options_.images->Provide(request.agent, GuestModules(ClhMachine(request)));
  }

  RuntimeOptions options_;
};

}  // namespace

std::unique_ptr<Launcher> MakeCloudHypervisor(RuntimeOptions options) {
  return std::make_unique<ClhLauncher>(std::move(options));
}

}  // namespace hvbench
