#include "runtime_launchers/oci/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "runtime_launchers/probe.h"
#include "runtime_launchers/process_guest.h"
#include "runtime_launchers/support/file_hash.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/page_cache.h"
#include "runtime_launchers/support/proc_stats.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr auto kOciVersionTimeout = std::chrono::seconds(5);
constexpr auto kOciTrialTimeout = std::chrono::seconds(30);
constexpr auto kOutputCheckInterval = std::chrono::milliseconds(50);

// Where everything of one guest lies.
struct GuestFiles {
  explicit GuestFiles(const fs::path& dir)
      : state(dir / "state"),
        bundle(OciBundleIn(dir)),
        pid_file(dir / "pid"),
        runtime_log(dir / "runtime.log") {}

  fs::path state;
  fs::path bundle;
  fs::path pid_file;
  fs::path runtime_log;  // a FIFO
};

class OciGuest : public ProcessGuest {
 public:
  // `command` is the runtime's binary with its global options.
  OciGuest(std::vector<std::string> command, const OciRuntime& runtime,
           const LaunchRequest& request)
      : command_(std::move(command)),
        hidden_mount_(runtime.hidden_mount),
        covered_sysctls_(runtime.covered_sysctls),
        extras_(runtime.extras),
        id_(request.guest_id),
        mark_(GuestMark::OfCgroup(request.cgroup)),
        files_(request.guest_dir) {
    AddFacts(runtime.facts);
    command_.insert(command_.end(), {"--root", files_.state.string()});
    const std::int64_t guest_mib = request.shape.memory_mib;
    const std::int64_t vmm_mib = guest_mib > 0 ? runtime.vmm_memory_mib.value_or(0) : 0;
    SetTraits({.memory_mib = guest_mib + vmm_mib,  // 0: no limit
               .memory_file = runtime.guest_memory_file,
               .ram_bytes = runtime.vmm_memory_mib ? guest_mib << 20 : 0});
  }
  ~OciGuest() override { ForceDown(); }

  void Start(const LaunchRequest& request);
  // Runs the agent in the foreground to its end.
  ExitStatus Try(const LaunchRequest& request);

 private:
  void RemoveRuntimeState(Deadline deadline) override;
  void Prepare(const LaunchRequest& request, const std::vector<std::string>& agent_arguments);
  void MakeCgroup(const LaunchRequest& request);
  Process SpawnRuntime(const LaunchRequest& request, std::vector<std::string> arguments,
                       int stdin_fd, int stdout_fd);
  ExitStatus AwaitRuntime(Process& runtime, Deadline deadline);
  void AdoptMainProcess();

  std::vector<std::string> command_;
  std::filesystem::path hidden_mount_;
  std::filesystem::path covered_sysctls_;
  OciConfigExtras extras_;
  std::string id_;
  GuestMark mark_;
  BootTicks started_ = 0;  // before the runtime ran
  GuestFiles files_;
  std::vector<std::string> command_line_;
  BoundedLog* console_ = nullptr;  // of the runtime and the agent
};

void OciGuest::Prepare(const LaunchRequest& request,
                       const std::vector<std::string>& agent_arguments) {
  WriteOciBundle(files_.bundle, request, agent_arguments, extras_);
  AdoptLaunchCgroup(Cgroup::ForCpuTime(request.cgroup + "-launch")).Create({});
  started_ = BootTicksNow();
}

// Made here and not by the runtime: the limits of all guests are then set in the same way.
void OciGuest::MakeCgroup(const LaunchRequest& request) {
  AdoptCgroup(Cgroup::MakeNew(request.cgroup, {request.shape.host_cpus, traits().memory_mib}));
}

Process OciGuest::SpawnRuntime(const LaunchRequest& request, std::vector<std::string> arguments,
                               int stdin_fd, int stdout_fd) {
  // The runtime opens the one itself; the other is the agent's too.
  AddLog(files_.runtime_log);
  console_ = &AddLog();
  command_line_ = command_;
  command_line_.insert(command_line_.end(), {"--log", files_.runtime_log.string(), "run"});
  command_line_.insert(command_line_.end(), arguments.begin(), arguments.end());
  command_line_.insert(command_line_.end(), {"--bundle", files_.bundle.string(), id_});
  SpawnOptions options;
  options.stdin_fd = stdin_fd;
  options.stdout_fd = stdout_fd >= 0 ? stdout_fd : console_->writer();
  options.stderr_fd = console_->writer();
  options.cpus = request.shape.host_cpus;
  options.cgroup_procs = launch_cgroup()->ProcsFiles();
  options.hidden_mount = hidden_mount_;
  if (request.network && !covered_sysctls_.empty()) {
    // Each network namespace has folders of its own there.
    options.network_namespace = request.network->network_namespace;
    options.covered_dir = covered_sysctls_;
  }
  Process runtime = Process::Spawn(command_line_, options);
  console_->CloseWriter();
  return runtime;
}

ExitStatus OciGuest::AwaitRuntime(Process& runtime, Deadline deadline) {
  bool prints_without_end = false;
  try {
    while (!prints_without_end) {
      const auto slice =
          std::min<Deadline::Clock::duration>(deadline.Remaining(), kOutputCheckInterval);
      if (WaitReadable(runtime.pidfd(), Deadline::In(slice), /*interruptible=*/true)) {
        return runtime.Wait(deadline).value_or(ExitStatus{});
      }
      if (deadline.Passed()) break;
      prints_without_end = console_->total_bytes() > kBoundedLogBytes;
    }
  } catch (const Interrupted&) {
    runtime.KillSession();
    throw;
  }
  // The whole session: crun lets a child of its own make the container, outside of its cgroup.
  runtime.KillSession();
  const std::string command = "'" + CommandLine(command_line_) + "'";
  if (prints_without_end) throw Error(command + " prints without end" + AsQuote(ConsoleTail()));
  throw TimedOut(command + " did not end in time" + AsQuote(ConsoleTail()));
}

void OciGuest::AdoptMainProcess() {
  pid_t pid = 0;
  std::ifstream(files_.pid_file) >> pid;
  if (pid <= 0) throw Error("the runtime wrote no process id to " + files_.pid_file.string());
  try {
    try {
      AdoptProcess(Process::Adopt(IdentityProof::OfMember(pid, mark_, started_)));
    } catch (const ProcessGone&) {
      AdoptProcess(Process::Adopt(IdentityProof::OfOwnChild(pid)));  // a zombie that has a status
    }
  } catch (const Error& error) {
    throw NotProved("the runtime wrote a process id to " + files_.pid_file.string() +
                    " that is not its guest's: " + error.what() + AsQuote(ConsoleTail()));
  }
}

void OciGuest::Start(const LaunchRequest& request) {
  Prepare(request, ContainerAgentArguments(request));
  AddFacts({{"binary_sha256", Sha256OfFile(command_.front())}});
  if (request.cold_cache) {
    EvictProgram(command_.front());
    EvictFromPageCache(AgentOfBundle(files_.bundle, request));
  }

  NoteLaunchCalled();
  MakeCgroup(request);
  auto [guest_stdin, to_guest] = MakePipe();
  auto [from_guest, guest_stdout] = MakePipe();
  // Detached, the runtime's own streams become the agent's: nothing copies between the two.
  Process runtime = SpawnRuntime(request, {"--detach", "--pid-file", files_.pid_file.string()},
                                 guest_stdin.get(), guest_stdout.get());
  const ExitStatus status = AwaitRuntime(runtime, request.deadline);
  if (!status.success()) {
    throw Error("'" + CommandLine(command_line_) + "' " + status.Describe() +
                AsQuote(ConsoleTail()));
  }
  AdoptMainProcess();
  NoteProcessStarted();
  SetEndpoint(PipeEndpoint{std::move(to_guest), std::move(from_guest)});
  AddFacts(
      {{"command_line", CommandLine(command_line_)}, {"limits", "cgroup"}, {"transport", "pipe"}});
}

ExitStatus OciGuest::Try(const LaunchRequest& request) {
  Prepare(request, {"--exit"});
  MakeCgroup(request);
  return AwaitRuntime(AdoptProcess(SpawnRuntime(request, {}, -1, -1)), request.deadline);
}

void OciGuest::RemoveRuntimeState(Deadline deadline) {
  std::vector<std::string> command = command_;
  command.insert(command.end(), {"delete", "--force", id_});
  std::error_code error;
  SpawnOptions options;
  options.hidden_mount = hidden_mount_;
  if (fs::exists(files_.state, error)) {
    RunCommand(command, options, deadline, /*interruptible=*/false);
  }
  fs::remove_all(files_.state, error);
}

class OciLauncher : public Launcher {
 public:
  OciLauncher(RuntimeOptions options, OciRuntime runtime)
      : options_(std::move(options)), runtime_(std::move(runtime)) {}

  const std::string& name() const override { return options_.name; }
  ProbeResult Probe(ProbeDepth depth, const LaunchRequest& trial) override;
  NetworkDevice network_device() const override { return runtime_.network_device; }
  ApplicationForm application_form() const override { return runtime_.application_form; }
  std::unique_ptr<Guest> Launch(const LaunchRequest& request) override;
  void RemoveStale(const std::string& guest_id, const fs::path& guest_dir) override;

 private:
  std::optional<Unusable> Try(LaunchRequest request) const;

  RuntimeOptions options_;
  OciRuntime runtime_;
};

std::optional<Unusable> OciLauncher::Try(LaunchRequest request) const {
  request.shape = {};
  request.deadline = Deadline::In(kOciTrialTimeout);
  OciGuest guest(OciCommand(options_, runtime_, /*has_network=*/false), runtime_, request);
  std::optional<Unusable> failure;
  std::string log;
  try {
    const ExitStatus status = guest.Try(request);
    if (!status.success()) {
      log = guest.ConsoleTail();
      failure = Unusable{"a trial guest " + status.Describe() + AsQuote(log), ""};
    }
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    log = guest.ConsoleTail();
    failure = Unusable{error.what(), ""};
  }
  if (failure && runtime_.explain) {
    if (auto explained = runtime_.explain(log)) failure = std::move(explained);
  }
  guest.Shutdown(StopMode::kForced, request.deadline);
  return failure;
}

ProbeResult OciLauncher::Probe(ProbeDepth depth, const LaunchRequest& trial) {
  return RunProbe(
      depth,
      [&](ProbeResult& result) { return CheckOciCommand(options_, runtime_, result.version); },
      [&] { return Try(trial); });
}

std::unique_ptr<Guest> OciLauncher::Launch(const LaunchRequest& request) {
  auto guest = std::make_unique<OciGuest>(
      OciCommand(options_, runtime_, request.network.has_value()), runtime_, request);
  guest->Start(request);
  return guest;
}

void OciLauncher::RemoveStale(const std::string&, const fs::path& guest_dir) {
  // All that the runtime keeps lies in there; its mounts went with the guest's namespace.
  std::error_code ignored;
  fs::remove_all(GuestFiles(guest_dir).state, ignored);
}

fs::path BinaryName(const RuntimeOptions& options, const OciRuntime& runtime) {
  if (!options.binary.empty()) return options.binary;
  const char* variable =
      runtime.binary_variable.empty() ? nullptr : std::getenv(runtime.binary_variable.c_str());
  return variable != nullptr && *variable != '\0' ? variable : runtime.command;
}

}  // namespace

std::vector<std::string> OciCommand(const RuntimeOptions& options, const OciRuntime& runtime,
                                    bool has_network) {
  std::vector<std::string> command = {
      RequireProgram(BinaryName(options, runtime), options.name, runtime.install_fix).string()};
  for (const auto* more :
       {&runtime.options, has_network ? &runtime.network_options : &runtime.isolated_options,
        &options.options}) {
    command.insert(command.end(), more->begin(), more->end());
  }
  return command;
}

std::optional<Unusable> CheckOciCommand(const RuntimeOptions& options, const OciRuntime& runtime,
                                        std::string& version) {
  InstalledProgram program;
  if (auto problem = FindInstalled(BinaryName(options, runtime), runtime.install_fix,
                                   Deadline::In(kOciVersionTimeout), program)) {
    return problem;
  }
  version = ParseVersion(program.version_output);
  if (auto problem = CheckRoot()) return problem;
  return runtime.check ? runtime.check(version) : std::nullopt;
}

std::string ParseVersion(const std::string& output) {
  const std::string line = output.substr(0, output.find('\n'));
  return line.substr(line.find_last_of(' ') + 1);
}

std::unique_ptr<Launcher> MakeOciLauncher(RuntimeOptions options, OciRuntime runtime) {
  return std::make_unique<OciLauncher>(std::move(options), std::move(runtime));
}

}  // namespace hvbench
