#include "runtime_launchers/vm/qemu_guest.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/un.h>

#include <cerrno>
#include <random>
#include <utility>

#include "runtime_launchers/support/cpu_set.h"
#include "runtime_launchers/support/proc_stats.h"
#include "runtime_launchers/support/socket_path.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr auto kMonitorTimeout = std::chrono::seconds(10);

// Addresses are the whole machine's; one in four billion is taken by chance, and QEMU then says so.
std::uint32_t ChooseCid() {
  constexpr std::uint32_t kFirstGuestCid = 3;
  std::random_device random;
  return random() / 2 + kFirstGuestCid;
}

bool OpensForUse(const char* device) {
  return static_cast<bool>(UniqueFd(open(device, O_RDWR | O_CLOEXEC)));
}

}  // namespace

bool HostHasVsock() { return OpensForUse("/dev/vhost-vsock"); }

bool HostHasVhostNet() { return OpensForUse("/dev/vhost-net"); }

bool HasDirectIo(const fs::path& file) {
  const UniqueFd fd(open(file.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  return static_cast<bool>(fd);
}

QemuGuest::QemuGuest(fs::path binary, QemuPlan plan, bool vsock, const LaunchRequest& request)
    : VmmGuest(std::move(binary), request.shape,
               kQemuMemoryMib + (plan.machine.kvm ? 0 : kTcgCacheMib)),
      plan_(std::move(plan)),
      files_(request.guest_dir) {
  if (vsock) plan_.vsock_cid = ChooseCid();
}

void QemuGuest::Spawn(const LaunchRequest& request) {
  SpawnOptions options;
  QemuGuestFiles files = files_;
  UniqueFd folder;
  if (files.bridge.native().size() > kMostSocketPathBytes) {
    // QEMU reads nothing from its standard input: it is the folder that the short names begin with.
    folder = UniqueFd(open(request.guest_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder) throw SystemError("cannot open " + request.guest_dir.string(), errno);
    options.stdin_fd = folder.get();
    files = QemuGuestFiles("/proc/self/fd/0");
  }
  std::vector<std::string> command = QemuArguments(plan_, files);
  command.insert(command.begin(), binary().string());
  AddFacts({{"command_line", CommandLine(command)}});
  SpawnVmm(request, command, options, files_.console);
}

void QemuGuest::PinVcpus(const GuestShape& shape, Deadline deadline) {
  if (shape.host_cpus.empty()) return;
  std::size_t next = 0;
  for (const pid_t thread : monitor_.VcpuThreads(deadline)) {
    if (!IsThreadOf(thread, process())) {
      throw NotProved("QEMU named thread " + std::to_string(thread) +
                      " for a vCPU, which is none of its own");
    }
    if (!CpuSet({shape.host_cpus[next++ % shape.host_cpus.size()]}).Apply(thread)) {
      throw SystemError("cannot pin a vCPU of QEMU", errno);
    }
  }
}

void QemuGuest::Start(const LaunchRequest& request) {
  NoteFacts(plan_.machine.kvm ? "kvm" : "tcg", plan_.image.guest_kernel_release,
            plan_.image.guest_kernel_sha256);
  EvictFromCache(request, {plan_.image.vmlinux, plan_.image.initramfs});
  NoteLaunchCalled();
  AskVmm("QEMU", [&] {
    Spawn(request);
    monitor_ = QmpClient::Connect(files_.monitor, process().pidfd(), request.deadline);
    NoteProcessStarted();
    PinVcpus(request.shape, request.deadline);
  });
  if (plan_.vsock_cid != 0) {
    SetEndpoint(VsockEndpoint{plan_.vsock_cid, kAgentVsockPort});
  } else {
    SetEndpoint(VirtioSerialEndpoint{files_.bridge.string()});
  }
  AddFacts({{"machine", plan_.machine.microvm ? "microvm" : "q35"},
            {"memory", plan_.options.preallocate ? "preallocated" : "on demand"}});
  if (plan_.network) {
    AddFacts(
        {{"network", std::string("virtio-net on a tap, ") + (plan_.vhost_net ? "vhost" : "QEMU")}});
  }
  if (!plan_.disks.empty()) {
    AddFacts({{"disk", plan_.direct_io ? "virtio-blk, direct, aio native"
                                       : "virtio-blk, through the host's page cache"}});
  }
  AddFacts({{"transport", plan_.vsock_cid != 0 ? "vsock" : "virtio-serial"}});
}

void QemuGuest::Freeze() {
  if (!stopped_ && process().Wait(Deadline()) == std::nullopt) {
    monitor_.Stop(Deadline::In(kMonitorTimeout));
    stopped_ = true;
  }
  ProcessGuest::Freeze();
}

void QemuGuest::Thaw() {
  ProcessGuest::Thaw();
  if (!stopped_) return;
  stopped_ = false;
  if (process().Wait(Deadline()) == std::nullopt) monitor_.Continue(Deadline::In(kMonitorTimeout));
}

void QemuGuest::Shutdown(StopMode mode, Deadline deadline) {
  // What is killed need not run on before.
  if (mode == StopMode::kForced) stopped_ = false;
  ProcessGuest::Shutdown(mode, deadline);
}

std::string QemuGuest::DeathReason() {
  constexpr auto kEndTimeout = std::chrono::seconds(2);
  if (!monitor_.ShutdownReason().empty()) process().Wait(Deadline::In(kEndTimeout));
  return ProcessGuest::DeathReason();
}

void QemuGuest::RemoveRuntimeState(Deadline) {
  // QEMU removes them itself, unless it is killed.
  std::error_code ignored;
  fs::remove(files_.monitor, ignored);
  fs::remove(files_.bridge, ignored);
}

}  // namespace hvbench
