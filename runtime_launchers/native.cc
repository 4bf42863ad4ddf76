// The bare host: the agent is a child process, limited and pinned like every other guest.
#include <sys/utsname.h>

#include <cerrno>

#include "runtime_launchers/probe.h"
#include "runtime_launchers/process_guest.h"
#include "runtime_launchers/support/file_hash.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/page_cache.h"
#include "runtime_launchers/support/spawn_child.h"
#include "runtime_launchers/support/trusted_path.h"

namespace hvbench {
namespace {

constexpr auto kNativeTrialTimeout = std::chrono::seconds(10);

class NativeGuest : public ProcessGuest {
 public:
  ~NativeGuest() override { ForceDown(); }
  void Start(const LaunchRequest& request);

 private:
  void MakeCgroup(const LaunchRequest& request);
};

// Without the permission to make a group the runtime stays usable, and says so.
void NativeGuest::MakeCgroup(const LaunchRequest& request) {
  AddFacts({{"limits", "cgroup"}});
  try {
    if (DetectCgroupVersion() == CgroupVersion::kNone) {
      AddFacts({{"limits", "affinity only (no cgroups on this machine)"}});
      return;
    }
    AdoptCgroup(
        Cgroup::MakeNew(request.cgroup, {request.shape.host_cpus, request.shape.memory_mib}));
  } catch (const SystemError& error) {
    // EBUSY: a version 2 group that holds others beside this program. EOPNOTSUPP: one without the
    // controllers.
    const int code = error.system_error();
    if (code != EACCES && code != EPERM && code != EROFS && code != EBUSY && code != EOPNOTSUPP) {
      throw;
    }
    AddFacts({{"limits", "affinity only (" + std::string(error.what()) + ")"}});
  }
}

void NativeGuest::Start(const LaunchRequest& request) {
  SetTraits({.memory_mib = request.shape.memory_mib});
  const std::filesystem::path scratch = request.guest_dir / "scratch";
  // A copy, as in every other guest: how a file lies in the page cache shows in the cost of exec.
  const std::filesystem::path agent = request.guest_dir / "agent";
  const UniqueFd program = CopyProgram(request.agent, agent);
  std::filesystem::create_directory(scratch);
  BoundedLog& console = AddLog();
  AddFacts({{"binary_sha256", Sha256OfFile(request.agent)}});
  if (request.cold_cache) EvictFromPageCache(agent);

  NoteLaunchCalled();
  MakeCgroup(request);

  SpawnOptions options;
  options.stderr_fd = console.writer();
  options.cpus = request.shape.host_cpus;
  if (cgroup() != nullptr) options.cgroup_procs = cgroup()->ProcsFiles();
  options.working_dir = scratch;
  std::vector<std::string> argv = {agent.string(), "--stdio", "--scratch=" + scratch.string()};
  if (!request.volume_dir.empty()) argv.push_back("--volume=" + request.volume_dir.string());
  if (request.application) argv.push_back("--application=" + request.application->root.string());
  if (request.network) {
    options.network_namespace = request.network->network_namespace;
    argv.push_back("--peer=" + request.network->peer);
  }
  PipedProcess started = SpawnPipedProgram(program.get(), argv, options);
  NoteProcessStarted();
  console.CloseWriter();
  AdoptProcess(std::move(started.process));
  SetEndpoint(PipeEndpoint{std::move(started.to), std::move(started.from)});

  AddFacts({{"command_line", CommandLine(argv)},
            {"accelerator", "none"},
            {"transport", "pipe"},
            {"guest_kernel", "host"}});
}

class NativeLauncher : public Launcher {
 public:
  explicit NativeLauncher(RuntimeOptions options) : options_(std::move(options)) {}

  const std::string& name() const override { return options_.name; }

  ProbeResult Probe(ProbeDepth depth, const LaunchRequest& trial) override {
    return RunProbe(
        depth,
        [](ProbeResult& result) -> std::optional<Unusable> {
          utsname system = {};
          if (uname(&system) == 0) result.version = std::string("Linux ") + system.release;
          return std::nullopt;
        },
        [&]() -> std::optional<Unusable> {
          const CommandResult agent =
              RunCommand({trial.agent.string(), "--exit"}, Deadline::In(kNativeTrialTimeout));
          if (agent.status.success()) return std::nullopt;
          return Unusable{"the agent " + trial.agent.string() + " " + agent.status.Describe() +
                              AsQuote(agent.output),
                          ""};
        });
  }

  NetworkDevice network_device() const override { return NetworkDevice::kVeth; }
  ApplicationForm application_form() const override { return ApplicationForm::kDirectory; }

  std::unique_ptr<Guest> Launch(const LaunchRequest& request) override {
    auto guest = std::make_unique<NativeGuest>();
    guest->Start(request);
    return guest;
  }

  void RemoveStale(const std::string&, const std::filesystem::path&) override {}

 private:
  RuntimeOptions options_;
};

}  // namespace

std::unique_ptr<Launcher> MakeNative(RuntimeOptions options) {
  return std::make_unique<NativeLauncher>(std::move(options));
}

}  // namespace hvbench
