#include "runtime_launchers/docker/launcher.h"

#include <unistd.h>

#include <algorithm>
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
  DockerLauncher(RuntimeOptions options, std::string wanted, std::vector<DockerRuntime> kinds);

  const std::string& name() const override { return options_.name; }
  ProbeResult Probe(ProbeDepth depth, const LaunchRequest& trial) override;
  NetworkDevice network_device() const override { return KindOf(WantedName()).network_device; }
  ApplicationForm application_form() const override { return ApplicationForm::kImage; }
  std::unique_ptr<Guest> Launch(const LaunchRequest& request) override;
  void RemoveStale(const std::string& guest_id, const fs::path& guest_dir) override;
  void RemoveCaches() override;
  std::chrono::nanoseconds DaemonCpu() override;

 private:
  const std::string& WantedName() const { return exact_name_.empty() ? wanted_ : exact_name_; }
  // `text` is the name of an OCI runtime, or its name and path.
  const DockerRuntime& KindOf(const std::string& text) const;
  OciRuntimeOfDaemon FindRuntime(const DaemonInfo& info) const;
  // Checks what FindRuntime found.
  std::optional<Unusable> CheckRuntime(const OciRuntimeOfDaemon& runtime) const;
  std::optional<Unusable> Check(std::string& version) const;
  std::optional<Unusable> Try(LaunchRequest request) const;

  RuntimeOptions options_;
  std::string wanted_;
  std::string exact_name_;            // by the options; "": by `wanted_`
  std::vector<DockerRuntime> kinds_;  // the last is that of an ordinary runtime
};

DockerLauncher::DockerLauncher(RuntimeOptions options, std::string wanted,
                               std::vector<DockerRuntime> kinds)
    : options_(std::move(options)), wanted_(std::move(wanted)), kinds_(std::move(kinds)) {
  kinds_.emplace_back();
  constexpr std::string_view kRuntime = "runtime=";
  for (const std::string& option : options_.options) {
    if (!option.starts_with(kRuntime)) {
      throw Error("runtime " + options_.name + " has the unknown option '" + option +
                  "'; Docker takes 'runtime=NAME'");
    }
    exact_name_ = option.substr(kRuntime.size());
  }
}

const DockerRuntime& DockerLauncher::KindOf(const std::string& text) const {
  return *std::find_if(kinds_.begin(), kinds_.end(), [&](const DockerRuntime& kind) {
    return text.find(kind.program) != text.npos;
  });
}

OciRuntimeOfDaemon DockerLauncher::FindRuntime(const DaemonInfo& info) const {
  OciRuntimeOfDaemon found =
      exact_name_.empty() ? ChooseOciRuntime(info, wanted_) : NamedOciRuntime(info, exact_name_);
  const DockerRuntime& kind = KindOf(WantedName());
  const bool may_be_shim = exact_name_.empty() || exact_name_ == kind.shim_name;
  if (found.name.empty() && found.ambiguous.empty() && may_be_shim && !kind.shim_name.empty() &&
      info.major_version() >= kFirstDockerWithShims && FindExecutable(kind.shim_program)) {
    found.name = kind.shim_name;
  }
  return found;
}

std::optional<Unusable> DockerLauncher::CheckRuntime(const OciRuntimeOfDaemon& runtime) const {
  const std::string& name = WantedName();
  if (!runtime.ambiguous.empty()) {
    return Unusable{
        "the Docker daemon has several OCI runtimes like " + name + ": " + runtime.ambiguous,
        "name one in a runtimes file, with the option runtime=NAME"};
  }
  if (runtime.name.empty()) {
    const std::string& install_fix = KindOf(name).install_fix;
    return Unusable{"the Docker daemon has no OCI runtime " + name + "; it has " + runtime.all,
                    install_fix.empty()
                        ? "start dockerd with --add-runtime " + name + "=/path/to/" + name
                        : install_fix};
  }
  const DockerRuntime& kind = KindOf(runtime.name + " " + runtime.path);
  return kind.check ? kind.check() : std::nullopt;
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
  const OciRuntimeOfDaemon runtime = FindRuntime(info);
  const DockerRuntime& kind = KindOf(runtime.name + " " + runtime.path);
  DockerGuest guest(request, kind, runtime, info);
  try {
    guest.Try(request);
  } catch (const Error& error) {
    auto explained = kind.explain ? kind.explain(error.what()) : std::nullopt;
    if (!explained) throw;
    return explained;
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
  auto guest = std::make_unique<DockerGuest>(request, KindOf(runtime.name + " " + runtime.path),
                                             runtime, info);
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
                                             std::vector<DockerRuntime> kinds) {
  return std::make_unique<DockerLauncher>(std::move(options), wanted, std::move(kinds));
}

}  // namespace hvbench
