// Firecracker: a VMM of few devices, booted for each guest, or restored from a snapshot that is
// made once for a run. Options: jailer[=FILE], pci, io_engine=Sync|Async, and those of the command
// (--x).
#include <cstdlib>
#include <mutex>
#include <sstream>
#include <tuple>

#include "runtime_launchers/probe.h"
#include "runtime_launchers/support/file_hash.h"
#include "runtime_launchers/support/unusable.h"
#include "runtime_launchers/vm/firecracker_guest.h"
#include "runtime_launchers/vm/kvm.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr auto kFirecrackerVersionTimeout = std::chrono::seconds(10);
// The first with ACPI: before it, devices are told on the guest kernel's command line alone, which
// modules do not see.
constexpr std::pair<int, int> kOldestVersion = {1, 8};
constexpr std::pair<int, int> kFirstWithPci = {1, 13};

constexpr char kInstallFirecracker[] =
    "scripts/install-runtimes.sh firecracker, or name one with "
    "HVBENCH_FIRECRACKER=/path/to/firecracker";

enum class LaunchMode { kBoot, kRestore };

// "Firecracker v1.16.1\n..." -> "1.16.1", "" if it is something else.
std::string VersionIn(const std::string& output) {
  const std::size_t begin = output.find(" v");
  if (!output.starts_with("Firecracker") || begin == std::string::npos) return "";
  return output.substr(begin + 2, output.find_first_of(" \r\n", begin + 2) - begin - 2);
}

// {1, 16} of "1.16.1"; zeros if it is something else.
std::pair<int, int> Release(const std::string& version) {
  std::istringstream text(version);
  std::pair<int, int> release;
  char dot = '\0';
  text >> release.first >> dot >> release.second;
  return text && dot == '.' ? release : std::pair<int, int>();
}

std::vector<std::string> FirecrackerModules(bool pci, bool ext4) {
  std::vector<std::string> modules = {pci ? "virtio_pci" : "virtio_mmio",
                                      "vmw_vsock_virtio_transport", "virtio_blk", "virtio_net"};
  if (ext4) modules.emplace_back("ext4");
  return modules;
}

class FirecrackerLauncher : public Launcher {
 public:
  FirecrackerLauncher(RuntimeOptions options, LaunchMode mode)
      : options_(std::move(options)), mode_(mode) {}

  const std::string& name() const override { return options_.name; }
  ProbeResult Probe(ProbeDepth depth, const LaunchRequest& trial) override;
  // A snapshot's agent has the address of the machine that it was made of.
  NetworkDevice network_device() const override {
    return mode_ == LaunchMode::kBoot ? NetworkDevice::kTap : NetworkDevice::kNone;
  }
  // These would be the snapshot's.
  bool has_root_image() const override { return mode_ == LaunchMode::kBoot; }
  ApplicationForm application_form() const override {
    return mode_ == LaunchMode::kBoot ? ApplicationForm::kDisk : ApplicationForm::kNone;
  }
  std::unique_ptr<Guest> Launch(const LaunchRequest& request) override;
  // All that is kept lies in the guest's folder; its process is gone.
  void RemoveStale(const std::string&, const fs::path&) override {}
  void RemoveCaches() override;

 private:
  // What a snapshot was made from: the agent's hash, the guest kernel's, processors, memory.
  using SnapshotKey = std::tuple<std::string, std::string, int, std::int64_t>;

  fs::path BinaryName() const;
  // With the binary's version, asked for once. Throws Error for what cannot be.
  const FirecrackerOptions& Resolve();
  void Apply(const std::string& option, FirecrackerOptions& resolved) const;
  std::optional<Unusable> Check(ProbeResult& result);
  GuestImage Image(const LaunchRequest& request, const FirecrackerOptions& resolved) const;
  void ProvideSnapshot(const LaunchRequest& request, const FirecrackerOptions& resolved);

  RuntimeOptions options_;
  LaunchMode mode_;
  std::mutex mutex_;  // what is below, of which the first of parallel launches makes the most
  std::optional<FirecrackerOptions> resolved_;
  fs::path snapshot_dir_;  // "": there is none
  FirecrackerSnapshot snapshot_;
  SnapshotKey snapshot_key_;
};

fs::path FirecrackerLauncher::BinaryName() const {
  if (!options_.binary.empty()) return options_.binary;
  const char* const variable = std::getenv("HVBENCH_FIRECRACKER");
  return variable != nullptr && *variable != '\0' ? variable : "firecracker";
}

void FirecrackerLauncher::Apply(const std::string& option, FirecrackerOptions& resolved) const {
  const std::string value = option.substr(std::min(option.size(), option.find('=') + 1));
  if (option.starts_with("--")) {
    resolved.arguments.push_back(option);
  } else if (option == "pci") {
    if (Release(resolved.version) < kFirstWithPci) {
      throw Error("Firecracker " + resolved.version + " has no PCI bus (1.13 and later have)");
    }
    resolved.pci = true;
  } else if (option == "io_engine=Sync" || option == "io_engine=Async") {
    resolved.io_engine = value;
  } else if (option == "jailer" || option.starts_with("jailer=")) {
    // Releases have it beside the VMM.
    const fs::path named =
        option == "jailer" ? resolved.binary.parent_path() / "jailer" : fs::path(value);
    const auto jailer = FindExecutable(named);
    if (!jailer) throw Error("there is no jailer " + named.string());
    resolved.jailer = *jailer;
  } else {
    throw Error("unknown option '" + option + "' of runtime " + options_.name +
                " (jailer[=FILE], pci, io_engine=Sync|Async, --FLAG)");
  }
}

const FirecrackerOptions& FirecrackerLauncher::Resolve() {
  if (resolved_) return *resolved_;
  FirecrackerOptions resolved;
  const fs::path binary = RequireProgram(BinaryName(), options_.name, kInstallFirecracker);
  resolved.binary = fs::absolute(binary);
  const CommandResult version =
      RunCommand({binary.string(), "--version"}, Deadline::In(kFirecrackerVersionTimeout));
  resolved.version = VersionIn(version.output);
  if (resolved.version.empty()) {
    throw Error(binary.string() + " is no Firecracker: " + kInstallFirecracker);
  }
  for (const std::string& option : options_.options) Apply(option, resolved);
  return resolved_.emplace(std::move(resolved));
}

std::optional<Unusable> FirecrackerLauncher::Check(ProbeResult& result) {
  if (!FindExecutable(BinaryName())) {
    return Unusable{BinaryName().string() + " is not installed", kInstallFirecracker};
  }
  result.version = Resolve().version;
  if (Release(result.version) < kOldestVersion) {
    return Unusable{"Firecracker " + result.version + " is too old (1.8, of June 2024, is not)",
                    kInstallFirecracker};
  }
  if (auto problem = CheckRoot()) return problem;
  if (auto unusable = CheckKvm()) return unusable;
  if (options_.images == nullptr) return Unusable{"there is no guest kernel image", ""};
  options_.images->GuestKernelRelease();
  return std::nullopt;
}

ProbeResult FirecrackerLauncher::Probe(ProbeDepth depth, const LaunchRequest& trial) {
  return RunProbe(
      depth, [&](ProbeResult& result) { return Check(result); },
      // All that a boot needs and a guest kernel may lack; KVM has been tried.
      [&]() -> std::optional<Unusable> {
        options_.images->Provide(trial.agent, FirecrackerModules(Resolve().pci, /*ext4=*/false));
        return std::nullopt;
      });
}

GuestImage FirecrackerLauncher::Image(const LaunchRequest& request,
                                      const FirecrackerOptions& resolved) const {
  if (options_.images == nullptr) throw Error("runtime " + options_.name + " has no guest images");
  return options_.images->Provide(request.agent,
                                  FirecrackerModules(resolved.pci, !request.root_image.empty()));
}

void FirecrackerLauncher::ProvideSnapshot(const LaunchRequest& request,
                                          const FirecrackerOptions& resolved) {
  const GuestImage image = Image(request, resolved);
  const SnapshotKey key(Sha256OfFile(request.agent), image.guest_kernel_sha256, request.shape.vcpus,
                        request.shape.memory_mib);
  std::error_code error;
  if (key == snapshot_key_ && fs::exists(snapshot_dir_, error)) return;
  RemoveCaches();
  snapshot_dir_ = request.guest_dir.parent_path() / (options_.name + ".snapshot");
  snapshot_ = {snapshot_dir_ / "state", snapshot_dir_ / "memory", image.guest_kernel_release,
               image.guest_kernel_sha256};
  // In the guest's own group, which is free until the snapshot is restored.
  LaunchRequest for_template = request;
  for_template.guest_dir = snapshot_dir_ / "template";
  for_template.disk_image.clear();  // a copy would find the template's
  fs::create_directories(for_template.guest_dir);
  try {
    FirecrackerGuest guest(resolved, for_template);
    guest.BootTemplate(for_template, image);
    guest.SaveTo(snapshot_, request.deadline);
    guest.Shutdown(StopMode::kForced, request.deadline);
  } catch (...) {
    RemoveCaches();
    throw;
  }
  fs::remove_all(for_template.guest_dir, error);
  snapshot_key_ = key;
}

std::unique_ptr<Guest> FirecrackerLauncher::Launch(const LaunchRequest& request) {
  std::unique_lock lock(mutex_);
  const FirecrackerOptions& resolved = Resolve();
  if (mode_ == LaunchMode::kRestore) {
    ProvideSnapshot(request, resolved);
    const FirecrackerSnapshot snapshot = snapshot_;
    lock.unlock();
    auto guest = std::make_unique<FirecrackerGuest>(resolved, request);
    guest->Restore(request, snapshot);
    return guest;
  }
  lock.unlock();
  const GuestImage image = Image(request, resolved);
  auto guest = std::make_unique<FirecrackerGuest>(resolved, request);
  guest->Boot(request, image);
  return guest;
}

void FirecrackerLauncher::RemoveCaches() {
  std::error_code ignored;
  if (!snapshot_dir_.empty()) fs::remove_all(snapshot_dir_, ignored);
  snapshot_dir_.clear();
  snapshot_key_ = {};
}

}  // namespace

std::unique_ptr<Launcher> MakeFirecracker(RuntimeOptions options) {
  return std::make_unique<FirecrackerLauncher>(std::move(options), LaunchMode::kBoot);
}

std::unique_ptr<Launcher> MakeFirecrackerSnapshot(RuntimeOptions options) {
  return std::make_unique<FirecrackerLauncher>(std::move(options), LaunchMode::kRestore);
}

}  // namespace hvbench
