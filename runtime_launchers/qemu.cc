// QEMU: a full PC (q35) and its small machine for quick boots (microvm), under KVM; and the same
// emulated, which are other runtimes, since their results say nothing about virtual machines.
#include <unistd.h>

#include <utility>

#include "runtime_launchers/oci/launcher.h"
#include "runtime_launchers/probe.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/vm/kvm.h"
#include "runtime_launchers/vm/qemu_command.h"
#include "runtime_launchers/vm/qemu_guest.h"
#include "runtime_launchers/vm/tsc.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr auto kQemuVersionTimeout = std::chrono::seconds(5);
constexpr auto kQemuTrialTimeout = std::chrono::seconds(20);
constexpr char kCommand[] = "qemu-system-x86_64";
constexpr char kInstallQemu[] = "apt-get install --no-install-recommends qemu-system-x86";
constexpr std::int64_t kTrialMemoryMib = 64;

class QemuLauncher : public Launcher {
 public:
  QemuLauncher(RuntimeOptions options, QemuMachine machine)
      : options_(std::move(options)), machine_(machine) {}

  const std::string& name() const override { return options_.name; }
  ProbeResult Probe(ProbeDepth depth, const LaunchRequest& trial) override;
  NetworkDevice network_device() const override { return NetworkDevice::kTap; }
  bool has_root_image() const override { return true; }
  ApplicationForm application_form() const override { return ApplicationForm::kDisk; }
  std::unique_ptr<Guest> Launch(const LaunchRequest& request) override;
  void RemoveStale(const std::string&, const fs::path&) override {}

 private:
  fs::path BinaryName() const { return options_.binary.empty() ? kCommand : options_.binary; }
  std::optional<Unusable> Check(ProbeResult& result) const;
  std::optional<Unusable> Try(LaunchRequest request) const;
  std::unique_ptr<QemuGuest> MakeGuest(const LaunchRequest& request, bool paused) const;

  RuntimeOptions options_;
  QemuMachine machine_;
};

std::optional<Unusable> QemuLauncher::Check(ProbeResult& result) const {
  InstalledProgram qemu;
  if (auto problem =
          FindInstalled(BinaryName(), kInstallQemu, Deadline::In(kQemuVersionTimeout), qemu)) {
    return problem;
  }
  // "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)"
  constexpr std::string_view kVersion = "version ";
  const std::string line = qemu.version_output.substr(0, qemu.version_output.find('\n'));
  const std::size_t at = line.find(kVersion);
  result.version = at == std::string::npos ? line : line.substr(at + kVersion.size());
  if (auto problem = CheckRoot()) return problem;
  const QemuOptions checked(options_.options);
  if (options_.images != nullptr) options_.images->GuestKernelRelease();
  const std::optional<Unusable> no_kvm = CheckKvm();
  if (machine_.kvm) return no_kvm;
  if (!no_kvm) {
    result.passed_over = "KVM works here: what is emulated is measured only if it is named";
  }
  return std::nullopt;
}

// A machine that is made but not run: all that QEMU could refuse, without the seconds of a boot.
std::optional<Unusable> QemuLauncher::Try(LaunchRequest request) const {
  request.shape = {1, kTrialMemoryMib, {}};
  request.deadline = Deadline::In(kQemuTrialTimeout);
  try {
    MakeGuest(request, /*paused=*/true)->Shutdown(StopMode::kForced, request.deadline);
  } catch (const Interrupted&) {
    throw;
  } catch (const NoGuestKernel&) {
    throw;
  } catch (const Error& error) {
    throw Error(std::string("a trial machine failed: ") + error.what());
  }
  return std::nullopt;
}

ProbeResult QemuLauncher::Probe(ProbeDepth depth, const LaunchRequest& trial) {
  return RunProbe(
      depth, [&](ProbeResult& result) { return Check(result); }, [&] { return Try(trial); });
}

std::unique_ptr<QemuGuest> QemuLauncher::MakeGuest(const LaunchRequest& request,
                                                   bool paused) const {
  const fs::path binary = RequireProgram(BinaryName(), options_.name, kInstallQemu);
  if (options_.images == nullptr) throw Error(options_.name + " was made without guest images");
  QemuPlan plan;
  plan.machine = machine_;
  plan.options = QemuOptions(options_.options);
  plan.shape = request.shape;
  plan.paused = paused;
  plan.tsc_khz = HostTscKhz();
  const bool vsock = plan.options.use_vsock && HostHasVsock();
  plan.network = request.network;
  plan.vhost_net = HostHasVhostNet();
  plan.disks = GuestDisksOf(request);
  // They lie in one folder.
  plan.direct_io = !plan.disks.empty() && HasDirectIo(plan.disks.front().file);
  plan.image = options_.images->Provide(request.agent, QemuModules(plan, vsock));
  auto guest = std::make_unique<QemuGuest>(binary, std::move(plan), vsock, request);
  guest->Start(request);
  return guest;
}

std::unique_ptr<Guest> QemuLauncher::Launch(const LaunchRequest& request) {
  return MakeGuest(request, /*paused=*/false);
}

}  // namespace

std::unique_ptr<Launcher> MakeQemu(RuntimeOptions options) {
  return std::make_unique<QemuLauncher>(std::move(options), QemuMachine{false, true});
}

std::unique_ptr<Launcher> MakeQemuMicrovm(RuntimeOptions options) {
  return std::make_unique<QemuLauncher>(std::move(options), QemuMachine{true, true});
}

std::unique_ptr<Launcher> MakeQemuTcg(RuntimeOptions options) {
  return std::make_unique<QemuLauncher>(std::move(options), QemuMachine{false, false});
}

std::unique_ptr<Launcher> MakeQemuMicrovmTcg(RuntimeOptions options) {
  return std::make_unique<QemuLauncher>(std::move(options), QemuMachine{true, false});
}

}  // namespace hvbench
