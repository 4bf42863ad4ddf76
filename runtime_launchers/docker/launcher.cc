#include "runtime_launchers/docker/launcher.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "runtime_launchers/docker/engine.h"
#include "runtime_launchers/probe.h"
#include "runtime_launchers/support/proc_stats.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

// It asks each of its runtimes for a version, which takes long on a busy machine.
constexpr auto kDockerQueryTimeout = std::chrono::seconds(20);
// With the import of the image, on a machine that emulates.
constexpr auto kDockerTrialTimeout = std::chrono::seconds(60);
constexpr auto kDockerRemoveTimeout = std::chrono::seconds(30);
// Far more than a daemon takes to make a container.
constexpr auto kMakingTime = std::chrono::seconds(3);
// Docker 23 takes the names of containerd's shims without knowing them (its release notes).
constexpr int kFirstDockerWithShims = 23;

class DockerLauncher : public Launcher {
 public:
  DockerLauncher(RuntimeOptions options, std::string wanted, DockerRuntime runtime);

  const std::string& name() const override { return options_.name; }
  ProbeResult Probe(ProbeDepth depth, const LaunchRequest& trial) override;
  NetworkDevice network_device() const override { return runtime_.network_device; }
  ApplicationForm application_form() const override { return ApplicationForm::kImage; }
  std::unique_ptr<Guest> Launch(const LaunchRequest& request) override;
  void RemoveStale(const std::string& guest_id, const fs::path& guest_dir) override;
  void RemoveCaches() override;
  std::chrono::nanoseconds DaemonCpu() override;

 private:
  bool TakesShim(const DaemonInfo& info) const;
  OciRuntimeOfDaemon FindRuntime(const DaemonInfo& info) const;
  // Checks what FindRuntime found.
  std::optional<Unusable> CheckRuntime(const OciRuntimeOfDaemon& runtime) const;
  std::optional<Unusable> Check(std::string& version) const;
  std::optional<Unusable> Try(LaunchRequest request) const;

  RuntimeOptions options_;
  std::string wanted_;
  std::string exact_name_;  // by the options; "": by `wanted_`
  DockerRuntime runtime_;
};

DockerLauncher::DockerLauncher(RuntimeOptions options, std::string wanted, DockerRuntime runtime)
    : options_(std::move(options)), wanted_(std::move(wanted)), runtime_(std::move(runtime)) {
  constexpr std::string_view kRuntime = "runtime=";
  for (const std::string& option : options_.options) {
    if (!option.starts_with(kRuntime)) {
      throw Error("runtime " + options_.name + " has the unknown option '" + option +
                  "'; Docker takes 'runtime=NAME'");
    }
    exact_name_ = option.substr(kRuntime.size());
  }
}

bool DockerLauncher::TakesShim(const DaemonInfo& info) const {
  return !runtime_.shim_name.empty() && info.major_version() >= kFirstDockerWithShims &&
         FindExecutable(runtime_.shim_program).has_value();
}

OciRuntimeOfDaemon DockerLauncher::FindRuntime(const DaemonInfo& info) const {
  OciRuntimeOfDaemon found =
      exact_name_.empty() ? ChooseOciRuntime(info, wanted_) : NamedOciRuntime(info, exact_name_);
  const bool may_be_shim = exact_name_.empty() || exact_name_ == runtime_.shim_name;
  if (found.name.empty() && found.ambiguous.empty() && may_be_shim && TakesShim(info)) {
    found.name = runtime_.shim_name;
  }
  return found;
}

std::optional<Unusable> DockerLauncher::CheckRuntime(const OciRuntimeOfDaemon& runtime) const {
  const std::string name = exact_name_.empty() ? wanted_ : exact_name_;
  if (!runtime.ambiguous.empty()) {
    return Unusable{
        "the Docker daemon has several OCI runtimes like " + name + ": " + runtime.ambiguous,
        "name one in a runtimes file, with the option runtime=NAME"};
  }
  if (runtime.name.empty()) {
    return Unusable{"the Docker daemon has no OCI runtime " + name + "; it has " + runtime.all,
                    runtime_.install_fix.empty()
                        ? "start dockerd with --add-runtime " + name + "=/path/to/" + name
                        : runtime_.install_fix};
  }
  return runtime_.check ? runtime_.check() : std::nullopt;
}

std::optional<Unusable> DockerLauncher::Check(std::string& version) const {
  const DockerEngine engine(/*interruptible=*/true);
  try {
    const DaemonInfo info = engine.Info(Deadline::In(kDockerQueryTimeout));
    version = info.version;
    if (auto unusable = WhyListenerIsForeign("the Docker daemon", engine.socket())) return unusable;
    if (auto unusable = WhyUnprovable(info)) return unusable;
    if (geteuid() != 0 && !info.rootless) {
      return Unusable{"its containers are root's: this user could neither freeze nor kill them",
                      "run as root: sudo hvbench"};
    }
    return CheckRuntime(FindRuntime(info));
  } catch (const SystemError& error) {
    return Unusable{std::string("no Docker daemon answers: ") + error.what(),
                    error.system_error() == EACCES
                        ? "run as root: sudo hvbench"
                        : "apt-get install docker.io, start it (systemctl start docker), or name "
                          "its socket with DOCKER_HOST=unix:///path"};
  }
}

std::optional<Unusable> DockerLauncher::Try(LaunchRequest request) const {
  request.shape = {};
  request.deadline = Deadline::In(kDockerTrialTimeout);
  const DaemonInfo info = DockerEngine(/*interruptible=*/true).Info(request.deadline);
  DockerGuest guest(request, runtime_, FindRuntime(info), info);
  try {
    guest.Try(request);
  } catch (const Error& error) {
    // Newer kernels show net.core.rmem_default in every network namespace; older runsc take that
    // for the sign of the host's own.
    const std::string reason = error.what();
    if (reason.find("root network namespace") == std::string::npos) throw;
    return Unusable{
        reason,
        R"(give that runtime "runtimeArgs": ["--network=none"] in /etc/docker/daemon.json)"};
  }
  guest.Shutdown(StopMode::kForced, request.deadline);
  return std::nullopt;
}

ProbeResult DockerLauncher::Probe(ProbeDepth depth, const LaunchRequest& trial) {
  return RunProbe(
      depth, [&](ProbeResult& result) { return Check(result.version); },
      [&] { return Try(trial); });
}

std::unique_ptr<Guest> DockerLauncher::Launch(const LaunchRequest& request) {
  const DaemonInfo info = DockerEngine(/*interruptible=*/true).Info(request.deadline);
  const OciRuntimeOfDaemon runtime = FindRuntime(info);
  if (const auto unusable = WhyUnprovable(info)) throw NotProved(unusable->reason);
  if (const auto unusable = CheckRuntime(runtime)) throw Error(unusable->reason);
  auto guest = std::make_unique<DockerGuest>(request, runtime_, runtime, info);
  guest->Start(request);
  return guest;
}

void DockerLauncher::RemoveStale(const std::string& guest_id, const fs::path& guest_dir) {
  try {
    const DockerEngine engine(/*interruptible=*/false);
    std::error_code error;
    const auto asked = fs::last_write_time(AskedForContainer(guest_dir), error);
    // The daemon may still be making what a program asked for that was killed since.
    while (!engine.RemoveContainer(guest_id, Deadline::In(kDockerRemoveTimeout)) && !error &&
           fs::file_time_type::clock::now() - asked < kMakingTime) {
      Pause(std::chrono::milliseconds(50), /*interruptible=*/false);
    }
  } catch (const SystemError& error) {
    // A daemon that was killed leaves its socket, and has the container when it comes back. One
    // that has ended may be a private one, which took its containers with it.
    if (error.system_error() == ECONNREFUSED) throw;
  }
}

void DockerLauncher::RemoveCaches() {
  try {
    DockerEngine(/*interruptible=*/false).RemoveOwnImages(Deadline::In(kDockerRemoveTimeout));
  } catch (const SystemError&) {
  }
}

std::chrono::nanoseconds DockerLauncher::DaemonCpu() {
  std::chrono::nanoseconds total{0};
  for (const char* daemon : {"dockerd", "containerd"}) {
    for (const pid_t pid : ProcessesNamed(daemon)) {
      total += CpuTimeOfProcess(pid).value_or(std::chrono::nanoseconds(0));
    }
  }
  return total;
}

}  // namespace

std::unique_ptr<Launcher> MakeDockerLauncher(RuntimeOptions options, const std::string& wanted,
                                             DockerRuntime runtime) {
  return std::make_unique<DockerLauncher>(std::move(options), wanted, std::move(runtime));
}

}  // namespace hvbench
