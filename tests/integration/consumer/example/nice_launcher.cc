#include "nice_launcher.h"

#include <runtime_launchers/process_guest.h>

#include <utility>

namespace {

constexpr char kNice[] = "nice";

// ProcessGuest does everything after the start: cgroup, freezing, statistics, the end.
class NiceGuest : public hvbench::ProcessGuest {
 public:
  ~NiceGuest() override { ForceDown(); }

  void Start(const std::string& nice, const hvbench::LaunchRequest& request) {
    NoteLaunchCalled();
    SetTraits({.memory_mib = request.shape.memory_mib});
    AdoptCgroup(hvbench::Cgroup::MakeNew(request.cgroup,
                                         {request.shape.host_cpus, request.shape.memory_mib}));
    hvbench::BoundedLog& console = AddLog();

    hvbench::SpawnOptions options;
    options.stderr_fd = console.writer();
    options.cpus = request.shape.host_cpus;
    options.cgroup_procs = cgroup()->ProcsFiles();
    options.environment = hvbench::AgentEnvironment();
    hvbench::PipedProcess started =
        hvbench::SpawnPiped({nice, "-n", "10", request.agent.string(), "--stdio",
                             "--scratch=" + request.guest_dir.string()},
                            options);
    NoteProcessStarted();
    console.CloseWriter();
    AdoptProcess(std::move(started.process));
    SetEndpoint(hvbench::PipeEndpoint{std::move(started.to), std::move(started.from)});
    AddFacts({{"command_line", nice + " -n 10 " + request.agent.string()}, {"transport", "pipe"}});
  }
};

class NiceLauncher : public hvbench::Launcher {
 public:
  explicit NiceLauncher(hvbench::RuntimeOptions options) : options_(std::move(options)) {}

  const std::string& name() const override { return options_.name; }

  hvbench::ProbeResult Probe(hvbench::ProbeDepth, const hvbench::LaunchRequest&) override {
    if (!hvbench::FindExecutable(kNice)) {
      return {.reason = "there is no nice in PATH", .fix = "apt-get install coreutils"};
    }
    return {.usable = true, .version = "1"};
  }

  std::unique_ptr<hvbench::Guest> Launch(const hvbench::LaunchRequest& request) override {
    auto guest = std::make_unique<NiceGuest>();
    guest->Start(hvbench::FindExecutable(kNice).value().string(), request);
    return guest;
  }

  void RemoveStale(const std::string&, const std::filesystem::path&) override {}

 private:
  hvbench::RuntimeOptions options_;
};

}  // namespace

std::unique_ptr<hvbench::Launcher> MakeNice(hvbench::RuntimeOptions options) {
  return std::make_unique<NiceLauncher>(std::move(options));
}
