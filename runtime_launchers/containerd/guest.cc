#include "runtime_launchers/containerd/guest.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "runtime_launchers/containerd/shim.h"
#include "runtime_launchers/oci/bundle.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/page_cache.h"
#include "runtime_launchers/support/whole_file.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr auto kTaskReportTimeout = std::chrono::seconds(10);
constexpr int kLostMachine = 255;  // what Kata's shim says of a task whose VMM is gone

fs::path ConsoleIn(const fs::path& guest_dir) { return guest_dir / "console.log"; }

// A FIFO, opened without waiting for the other end.
UniqueFd MakeFifo(const fs::path& path, int flags) {
  if (mkfifo(path.c_str(), 0600) != 0) throw SystemError("cannot make " + path.string(), errno);
  UniqueFd fd(open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK));
  if (!fd) throw SystemError("cannot open " + path.string(), errno);
  return fd;
}

ExitStatus FromShellStatus(int code) {
  ExitStatus status;
  status.signal = code > 128 ? code - 128 : 0;
  status.exit_code = code > 128 ? -1 : code;
  return status;
}

}  // namespace

ContainerdGuest::ContainerdGuest(const LaunchRequest& request, ContainerdTask task)
    : id_(request.guest_id),
      mark_(GuestMark::OfCgroup(request.cgroup)),
      task_(std::move(task)),
      guest_dir_(request.guest_dir) {
  AddFacts(task_.facts);
  SetTraits({.memory_mib = request.shape.memory_mib,
             .memory_file = task_.guest_memory_file,
             .ram_bytes = task_.is_vm ? request.shape.memory_mib << 20 : 0,
             .runtime_in_cgroup = task_.is_vm});
}

void ContainerdGuest::Prepare(const LaunchRequest& request,
                              const std::vector<std::string>& agent_arguments) {
  LaunchRequest in_guest = request;
  if (task_.is_vm) {
    // Kata makes its group below ours, and gives a VM what the container's limit asks for on top of
    // what the VM has anyway.
    in_guest.cgroup += "/sandbox";
    in_guest.shape.memory_mib = 0;
  }
  const fs::path bundle = OciBundleIn(guest_dir_);
  WriteOciBundle(bundle, in_guest, agent_arguments);
  if (!request.cold_cache) return;
  // containerd's own binary stays: it runs.
  for (const fs::path& program : task_.programs) EvictProgram(program);
  for (const fs::path& image : task_.images) EvictFromPageCache(image);
  EvictFromPageCache(AgentOfBundle(bundle, request));
}

void ContainerdGuest::Create(const ContainerdClient& containerd, const LaunchRequest& request,
                             const TaskStreams& streams) {
  const fs::path bundle = OciBundleIn(guest_dir_);
  AdoptCgroup(Cgroup::MakeNew(
      request.cgroup, {request.shape.host_cpus, task_.is_vm ? 0 : request.shape.memory_mib}));
  created_ = true;  // also if an answer does not arrive in time
  containerd.CreateContainer({id_, task_.runtime, task_.runtime_options,
                              WholeFile(bundle / "config.json", "configuration")},
                             request.deadline);
  started_ = BootTicksNow();
  const pid_t pid = containerd.CreateTask(id_, streams, fs::absolute(RootOfBundle(bundle, request)),
                                          request.deadline);
  AdoptMainProcess(pid);
}

void ContainerdGuest::AdoptMainProcess(pid_t pid) {
  try {
    AdoptProcess(Process::Adopt(IdentityProof::OfMember(pid, mark_, started_)));
    return;
  } catch (const NotProved& error) {
    // A VMM may be where its shim is, which enters the guest's group later.
    if (task_.is_vm) AdoptShim();
    if (!shim_) throw NotProved(ExplainForeignProcess("containerd", pid, error));
  } catch (const ProcessGone& error) {
    throw NotProved(ExplainForeignProcess("containerd", pid, error));
  }
  AdoptProcess(Process::Adopt(IdentityProof::OfDescendant(pid, *shim_, started_)));
}

void ContainerdGuest::AdoptShim() { shim_ = FindShim(id_, started_, process()); }

void ContainerdGuest::Start(const LaunchRequest& request) {
  const ContainerdClient containerd(/*interruptible=*/true);
  Prepare(request, ContainerAgentArguments(request));
  NoteLaunchCalled();
  const TaskStreams streams = {guest_dir_ / "stdin", guest_dir_ / "stdout", ConsoleIn(guest_dir_)};
  // Held open for reading and writing: the shim would take the lack of a writer for the end.
  const UniqueFd input = MakeFifo(streams.input, O_RDWR);
  UniqueFd from_guest = MakeFifo(streams.output, O_RDONLY);
  AddLog(streams.error);
  Create(containerd, request, streams);
  containerd.StartTask(id_, request.deadline);
  NoteProcessStarted();
  // A writer alone, so that the guest sees the end of this program.
  UniqueFd to_guest(open(streams.input.c_str(), O_WRONLY | O_CLOEXEC));
  if (!to_guest) throw SystemError("cannot open " + streams.input.string(), errno);
  SetEndpoint(PipeEndpoint{std::move(to_guest), std::move(from_guest)});
  if (!shim_) AdoptShim();
  if (task_.is_vm && shim_) MoveProcessTree(*shim_, *cgroup());
  AddFacts({{"command_line", "containerd task " + id_ + " on " + task_.runtime + " with " +
                                 (OciBundleIn(guest_dir_) / "config.json").string()},
            {"limits", task_.is_vm ? "cgroup for CPUs, the machine's size for memory" : "cgroup"},
            {"transport", "fifo, copied by the shim"},
            {"shim", task_.runtime}});
}

void ContainerdGuest::Try(const LaunchRequest& request) {
  const ContainerdClient containerd(/*interruptible=*/true);
  const fs::path console = ConsoleIn(guest_dir_);
  AddLog(console);
  Prepare(request, {"--exit"});
  Create(containerd, request, {"", console, console});
  containerd.StartTask(id_, request.deadline);
  const int status = containerd.WaitTask(id_, request.deadline);
  if (status != 0) {
    throw Error("a trial task ended with status " + std::to_string(status) +
                AsQuote(ConsoleTail()));
  }
}

// A VM's shim is in the control group, with all that it started.
std::vector<pid_t> ContainerdGuest::HelperProcesses() const {
  if (!shim_ || task_.is_vm) return {};
  return {shim_->pid()};
}

std::string ContainerdGuest::DescribeDeath(const ExitStatus& status) {
  // The process is the shim's child: only containerd gets to know its status, a moment later.
  try {
    const int code =
        ContainerdClient(/*interruptible=*/false).WaitTask(id_, Deadline::In(kTaskReportTimeout));
    if (task_.is_vm && code == kLostMachine) return "lost its machine";
    return ProcessGuest::DescribeDeath(FromShellStatus(code));
  } catch (const std::exception&) {
    return ProcessGuest::DescribeDeath(status);
  }
}

void ContainerdGuest::RemoveRuntimeState(Deadline deadline) {
  if (!created_) return;
  const auto find_shim = [this] {
    if (!shim_) AdoptShim();  // a launch that failed or was given up may have left one
    return std::exchange(shim_, std::nullopt);
  };
  RemoveContainer(id_, find_shim, deadline);
  for (const fs::path& folder : task_.shim_folders) RemoveMountedFolder(folder);
  created_ = false;
}

}  // namespace hvbench
