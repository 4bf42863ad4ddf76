#include "runtime_launchers/containerd/launcher.h"

#include <cerrno>
#include <exception>
#include <fstream>
#include <utility>

#include "runtime_launchers/containerd/shim.h"
#include "runtime_launchers/oci/bundle.h"
#include "runtime_launchers/probe.h"
#include "runtime_launchers/support/file_hash.h"
#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr auto kContainerdQueryTimeout = std::chrono::seconds(20);
constexpr auto kRemoveTimeout = std::chrono::seconds(20);
// Within which containerd ends what it was told to make, whoever listens.
constexpr auto kShimMakingTime = std::chrono::seconds(3);
constexpr char kRuncShim[] = "containerd-shim-runc-v2";
constexpr char kInstallContainerd[] =
    "apt-get install containerd, start it (systemctl start containerd), or name its socket with "
    "CONTAINERD_ADDRESS=/path";

class ContainerdLauncher : public Launcher {
 public:
  ContainerdLauncher(RuntimeOptions options, ContainerdRuntime runtime)
      : options_(std::move(options)), runtime_(std::move(runtime)) {}
  ~ContainerdLauncher() override {
    if (launched_) RemoveNamespace();
  }

  const std::string& name() const override { return options_.name; }
  NetworkDevice network_device() const override { return runtime_.network_device; }
  ApplicationForm application_form() const override { return ApplicationForm::kDirectory; }
  ProbeResult Probe(ProbeDepth depth, const LaunchRequest& trial) override;
  std::unique_ptr<Guest> Launch(const LaunchRequest& request) override;
  void RemoveStale(const std::string& guest_id, const fs::path& guest_dir) override;
  void RemoveCaches() override { RemoveNamespace(); }

 private:
  std::optional<Unusable> Check(ProbeResult& result) const;
  void Try(LaunchRequest request);
  static void RemoveNamespace() noexcept;

  RuntimeOptions options_;
  ContainerdRuntime runtime_;
  bool launched_ = false;
};

// Not after each guest, although containerd makes it by itself with the first one: its users do not
// delete theirs, and it would lengthen a stop by a write to the disk.
void ContainerdLauncher::RemoveNamespace() noexcept {
  try {
    ContainerdClient(/*interruptible=*/false)
        .RemoveNamespace(Deadline::In(kContainerdQueryTimeout));
  } catch (const std::exception&) {
    // No containerd: it may be a private one.
  }
}

std::optional<Unusable> ContainerdLauncher::Check(ProbeResult& result) const {
  std::string version;
  if (auto unusable = runtime_.check(version)) return unusable;
  try {
    const ContainerdClient containerd(/*interruptible=*/true);
    result.version = containerd.Version(Deadline::In(kContainerdQueryTimeout)) + " with " + version;
    return WhyListenerIsForeign("containerd", containerd.socket());
  } catch (const SystemError& error) {
    return Unusable{
        std::string("no containerd answers: ") + error.what(),
        error.system_error() == EACCES ? "run as root: sudo hvbench" : kInstallContainerd};
  }
}

void ContainerdLauncher::Try(LaunchRequest request) {
  request.shape = {};
  request.shape.memory_mib = runtime_.trial_memory_mib;
  request.deadline = Deadline::In(runtime_.trial_timeout);
  launched_ = true;
  ContainerdGuest guest(request, runtime_.prepare(request));
  guest.Try(request);
  guest.Shutdown(StopMode::kForced, request.deadline);
}

ProbeResult ContainerdLauncher::Probe(ProbeDepth depth, const LaunchRequest& trial) {
  return RunProbe(
      depth, [&](ProbeResult& result) { return Check(result); },
      [&]() -> std::optional<Unusable> {
        Try(trial);
        return std::nullopt;
      });
}

std::unique_ptr<Guest> ContainerdLauncher::Launch(const LaunchRequest& request) {
  launched_ = true;
  auto guest = std::make_unique<ContainerdGuest>(request, runtime_.prepare(request));
  guest->Start(request);
  return guest;
}

// The shim of a guest whose program was killed. containerd goes on making what it was told to make,
// whoever listens: a guest that was asked for a moment ago may get its shim yet.
std::optional<Process> FindStaleShim(const std::string& guest_id, const fs::path& guest_dir) {
  std::error_code error;
  const auto asked = fs::last_write_time(OciBundleIn(guest_dir) / "config.json", error);
  auto shim = FindShim(guest_id, BootTicks{0}, Process());
  while (!shim && !error && fs::file_time_type::clock::now() - asked < kShimMakingTime) {
    Pause(std::chrono::milliseconds(50), /*interruptible=*/false);
    shim = FindShim(guest_id, BootTicks{0}, Process());
  }
  return shim;
}

void ContainerdLauncher::RemoveStale(const std::string& guest_id, const fs::path& guest_dir) {
  std::exception_ptr refusal;
  try {
    RemoveContainer(
        guest_id, [&] { return FindStaleShim(guest_id, guest_dir); }, Deadline::In(kRemoveTimeout));
  } catch (const SystemError& error) {
    // As Docker's: it may come back with the container, or was a private one.
    if (error.system_error() == ECONNREFUSED) refusal = std::current_exception();
  }
  if (runtime_.shim_folders) {
    for (const fs::path& folder : runtime_.shim_folders(guest_id)) RemoveMountedFolder(folder);
  }
  RemoveNamespace();
  if (refusal) std::rethrow_exception(refusal);
}

// A shim calls one program without arguments of ours.
fs::path WriteWrapper(const fs::path& guest_dir, const std::vector<std::string>& command) {
  const fs::path wrapper = fs::absolute(guest_dir / "oci-runtime");
  std::ofstream file(wrapper);
  file << "#!/bin/sh\nexec";
  for (const std::string& word : command) {
    file << " '";
    for (const char c : word) file << (c == '\'' ? "'\\''" : std::string(1, c));
    file << "'";
  }
  file << " \"$@\"\n" << std::flush;
  if (!file) throw Error("cannot write " + wrapper.string());
  fs::permissions(wrapper, fs::perms(0755));
  return wrapper;
}

}  // namespace

std::unique_ptr<Launcher> MakeContainerdLauncher(RuntimeOptions options,
                                                 ContainerdRuntime runtime) {
  return std::make_unique<ContainerdLauncher>(std::move(options), std::move(runtime));
}

ContainerdRuntime OnRuncShim(const RuntimeOptions& options, const OciRuntime& oci) {
  ContainerdRuntime runtime;
  runtime.check = [options, oci](std::string& version) -> std::optional<Unusable> {
    if (auto unusable = CheckOciCommand(options, oci, version)) return unusable;
    version = oci.command + " " + version;
    if (FindExecutable(kRuncShim)) return std::nullopt;
    return Unusable{std::string(kRuncShim) + " is not installed", "apt-get install containerd"};
  };
  runtime.prepare = [options, oci](const LaunchRequest& request) {
    const std::vector<std::string> command = OciCommand(options, oci, request.network.has_value());
    ContainerdTask task;
    task.runtime = "io.containerd.runc.v2";
    task.runtime_options = RuncShimOptions(
        command.size() == 1 ? fs::path(command[0]) : WriteWrapper(request.guest_dir, command));
    task.facts = oci.facts;
    task.facts["binary_sha256"] = Sha256OfFile(command[0]);
    task.guest_memory_file = oci.guest_memory_file;
    task.programs = {command[0]};
    if (const auto shim = FindExecutable(kRuncShim)) task.programs.push_back(*shim);
    return task;
  };
  return runtime;
}

}  // namespace hvbench
