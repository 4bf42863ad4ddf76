#include "runtime_launchers/docker/guest.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

#include "runtime_launchers/containerd/shim.h"
#include "runtime_launchers/docker/container_config.h"
#include "runtime_launchers/docker/image.h"
#include "runtime_launchers/support/file_hash.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/network_device.h"
#include "runtime_launchers/support/page_cache.h"
#include "runtime_launchers/support/proc_stats.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

// What the daemon starts for each container, unless it is told otherwise for an OCI runtime.
constexpr char kDockersShim[] = "containerd-shim-runc-v2";
constexpr auto kStreamEndTimeout = std::chrono::milliseconds(500);
constexpr auto kDeathReportTimeout = std::chrono::seconds(10);
constexpr auto kEndReportTimeout = std::chrono::milliseconds(500);
constexpr auto kDockersShimEndTimeout = std::chrono::seconds(2);

// The paths that both drivers make of the parent and the container's id.
std::string CgroupOfContainer(const DaemonInfo& info, const std::string& parent,
                              const std::string& id) {
  return info.UsesSystemd() ? "/" + parent + "/docker-" + id + ".scope" : parent + "/" + id;
}

// False where one of them cannot be seen, as the root of a daemon in another mount namespace.
bool OnAnotherFileSystem(const fs::path& one, const fs::path& other) {
  struct stat a = {};
  struct stat b = {};
  return stat(one.c_str(), &a) == 0 && stat(other.c_str(), &b) == 0 && a.st_dev != b.st_dev;
}

// What an ended container wrote: each chunk stands behind a header of 8 bytes, whose last 4 are its
// big-endian size.
std::string TextOfAttachedStream(int stream) {
  std::string raw;
  char buffer[kLogTailBytes];
  const Deadline deadline = Deadline::In(kStreamEndTimeout);
  while (raw.size() < kLogTailBytes && WaitReadable(stream, deadline, /*interruptible=*/true)) {
    const ssize_t n = read(stream, buffer, sizeof buffer);
    if (n <= 0) break;
    raw.append(buffer, static_cast<std::size_t>(n));
  }
  std::string text;
  for (std::size_t at = 0; at + 8 <= raw.size();) {
    std::size_t size = 0;
    for (std::size_t i = 4; i < 8; ++i) size = size << 8 | static_cast<unsigned char>(raw[at + i]);
    text += raw.substr(at + 8, size);
    at += 8 + size;
  }
  return Printable(std::move(text));
}

}  // namespace

fs::path AskedForContainer(const fs::path& guest_dir) { return guest_dir / "asked-for-container"; }

DockerGuest::DockerGuest(const LaunchRequest& request, DockerRuntime runtime,
                         OciRuntimeOfDaemon oci_runtime, DaemonInfo info)
    : name_(request.guest_id),
      runtime_(std::move(runtime)),
      oci_runtime_(std::move(oci_runtime)),
      info_(std::move(info)),
      cgroup_parent_(ContainerParentGroup(info_, request.cgroup)) {
  SetTraits({.memory_mib = request.shape.memory_mib,
             .memory_file = runtime_.guest_memory_file,
             .ram_bytes = runtime_.is_vm ? request.shape.memory_mib << 20 : 0});
}

std::string DockerGuest::EnsureImage(const DockerEngine& engine, const LaunchRequest& request) {
  return request.application
             ? EnsureApplicationImage(engine, *request.application, request.deadline)
             : EnsureAgentImage(engine, request.agent, request.deadline);
}

// runsc does not fill a version 1 cpuset's parents, and then may not write its own.
void DockerGuest::MakeCgroupParent() const {
  try {
    Cgroup::OnMachine(cgroup_parent_).Create({});
  } catch (const SystemError& error) {
    // What the daemon would make there, this user could not remove.
    const int code = error.system_error();
    if (code == EACCES || code == EPERM || code == EROFS) throw;
  }
}

void DockerGuest::Create(const LaunchRequest& request, const Json& config) {
  if (!info_.UsesSystemd()) MakeCgroupParent();
  // To its end: a daemon goes on with what nobody waits for any more, and would make the container
  // after its removal.
  const DockerEngine engine(/*interruptible=*/false);
  guest_dir_ = request.guest_dir;
  std::ofstream(AskedForContainer(guest_dir_)).close();
  created_ = true;  // also if the answer does not arrive in time
  auto container = engine.CreateContainer(name_, config, request.deadline);
  if (!container) {
    // Another work directory's cleanup has just removed the image.
    EnsureImage(engine, request);
    container = engine.CreateContainer(name_, config, request.deadline);
  }
  if (!container) throw Error("the Docker daemon does not keep the image of its container");
  container_ = *container;
  mark_ = GuestMark::OfContainer(container_);
  // Known before the start: one that fails may leave gVisor's processes running in there.
  const Cgroup group = Cgroup::OnMachine(CgroupOfContainer(info_, cgroup_parent_, container_));
  if (group.Exists()) {
    throw NotProved("the daemon gave a new container the id " + container_ +
                    ", whose control group was there before: it was left alone");
  }
  AdoptCgroup(group);
}

void DockerGuest::StartContainer(const DockerEngine& engine, Deadline deadline) {
  started_ = BootTicksNow();
  try {
    engine.StartContainer(name_, deadline);
  } catch (...) {
    // The daemon forgets a shim whose container did not start, and the shim waits for it forever.
    AdoptShim();
    throw;
  }
}

void DockerGuest::AdoptShim() { shim_ = FindShim(container_, started_, process()); }

void DockerGuest::Start(const LaunchRequest& request) {
  const DockerEngine engine(/*interruptible=*/true);
  // Making the image is not part of a launch: later ones find it.
  const std::string image = EnsureImage(engine, request);
  const Json config = ContainerConfig(request, info_, oci_runtime_.name, image);
  const auto binary = FindExecutable(oci_runtime_.path);
  if (binary) AddFacts({{"binary_sha256", Sha256OfFile(*binary)}});
  if (request.cold_cache) {
    // The daemon's own binaries stay: it runs.
    for (const auto& program : {binary, FindExecutable(kDockersShim)}) {
      if (program) EvictProgram(*program);
    }
    EvictFromPageCache(AgentOfImage(engine, image, request.deadline));
  }

  NoteLaunchCalled();
  Create(request, config);
  UniqueFd stream = engine.AttachContainer(name_, request.deadline);
  StartContainer(engine, request.deadline);
  NoteProcessStarted();
  if (!FindHostProcesses(engine, request)) ThrowEnded(engine, stream, request.deadline);
  // Docker joins no namespace of ours by its path; the agent asks for the network later than this.
  if (request.network) MoveDeviceTo(process().pid(), *request.network, request.deadline);
  SetEndpoint(MultiplexedEndpoint{std::move(stream)});

  AddFacts({{"command_line", "POST /containers/create " + WriteJson(config)},
            {"limits", "cgroup"},
            {"accelerator", runtime_.accelerator},
            {"transport", "docker-attach"},
            {"guest_kernel", runtime_.guest_kernel},
            {"oci_runtime", oci_runtime_.name},
            {"storage_driver", info_.storage_driver},
            {"docker_root_dir", info_.root_dir}});
  if (info_.remaps_users) AddFacts({{"user_namespace", "remapped"}});
  if (OnAnotherFileSystem(info_.root_dir, request.guest_dir))
    AddFacts({{"root_file_system", "another"}});
}

void DockerGuest::Try(const LaunchRequest& request) {
  const DockerEngine engine(/*interruptible=*/true);
  Create(request, ContainerConfig(request, info_, oci_runtime_.name, EnsureImage(engine, request)));
  // The agent waits for the end of its input: its process can be looked at until then.
  const UniqueFd stream = engine.AttachContainer(name_, request.deadline);
  StartContainer(engine, request.deadline);
  if (!FindHostProcesses(engine, request)) ThrowEnded(engine, stream, request.deadline);
  shutdown(stream.get(), SHUT_WR);
  const std::string text = TextOfAttachedStream(stream.get());
  const int status = engine.WaitContainer(name_, request.deadline);
  if (status != 0) {
    throw Error("a trial container exited with " + std::to_string(status) + AsQuote(text));
  }
}

void DockerGuest::ThrowEnded(const DockerEngine& engine, const UniqueFd& stream,
                             Deadline deadline) const {
  const int status = engine.WaitContainer(name_, deadline);
  throw Error("the container ended at once, with status " + std::to_string(status) +
              AsQuote(TextOfAttachedStream(stream.get())));
}

bool DockerGuest::FindHostProcesses(const DockerEngine& engine, const LaunchRequest& request) {
  const ContainerState state = engine.StateOfContainer(name_, request.deadline);
  if (state.pid <= 0) return false;
  try {
    AdoptMainProcess(state.pid);
  } catch (const Error& error) {
    // A container that ends at once takes a moment to be known as such.
    const Deadline report = Deadline::In(kEndReportTimeout);
    while (engine.StateOfContainer(name_, request.deadline).running) {
      if (report.Passed()) {
        throw NotProved(ExplainForeignProcess("the Docker daemon", state.pid, error));
      }
      Pause(std::chrono::milliseconds(20), /*interruptible=*/true);
    }
    return false;
  }
  if (!shim_) AdoptShim();
  if (runtime_.is_vm && shim_) {
    AdoptCgroup(Cgroup::MakeNew(request.cgroup, {request.shape.host_cpus, 0}));
    MoveProcessTree(*shim_, *cgroup());
    GuestTraits with_runtime = traits();
    with_runtime.runtime_in_cgroup = true;
    SetTraits(std::move(with_runtime));
  }
  return true;
}

void DockerGuest::AdoptMainProcess(pid_t pid) {
  try {
    ProvedProcess proved = IdentityProof::OfMember(pid, *mark_, started_);
    AdoptCgroup(Cgroup::OfGuest(proved, *mark_, started_));
    AdoptProcess(Process::Adopt(std::move(proved)));
  } catch (const NotProved&) {
    // A VMM may be where its shim is.
    if (runtime_.is_vm) AdoptShim();
    if (!shim_) throw;
    AdoptProcess(Process::Adopt(IdentityProof::OfDescendant(pid, *shim_, started_)));
  }
}

// The shim serves this container alone, and the daemon puts it into no cgroup of ours; a VM's is in
// there with the VMM.
std::vector<pid_t> DockerGuest::HelperProcesses() const {
  if (!shim_ || traits().runtime_in_cgroup) return {};
  return {shim_->pid()};
}

std::string DockerGuest::DescribeDeath(const ExitStatus& status) {
  // The process is the shim's child: only the daemon gets to know its status, a moment later.
  const Deadline deadline = Deadline::In(kDeathReportTimeout);
  try {
    const DockerEngine engine(/*interruptible=*/false);
    ContainerState state = engine.StateOfContainer(name_, deadline);
    while (state.running && !deadline.Passed()) {
      Pause(std::chrono::milliseconds(5), /*interruptible=*/false);
      state = engine.StateOfContainer(name_, deadline);
    }
    daemon_error_ = state.error;
    // As a shell does it: 128 and the signal's number.
    ExitStatus known;
    known.signal = state.exit_code > 128 ? state.exit_code - 128 : 0;
    known.exit_code = state.exit_code > 128 ? -1 : state.exit_code;
    const std::string limit = std::to_string(traits().memory_mib) + " MiB";
    return known.Describe() + (state.oom_killed ? ", out of memory: its limit is " + limit : "");
  } catch (const std::exception&) {
    return status.Describe();
  }
}

std::string DockerGuest::ConsoleTail() {
  DeathReason();  // asks the daemon
  return daemon_error_;
}

void DockerGuest::RemoveRuntimeState(Deadline deadline) {
  if (!created_) return;
  DockerEngine(/*interruptible=*/false).RemoveContainer(name_, deadline);
  std::error_code ignored;
  fs::remove(AskedForContainer(guest_dir_), ignored);
  if (shim_) shim_->Wait(Deadline::In(kDockersShimEndTimeout));
  shim_.reset();  // kills what did not end
  created_ = false;
}

}  // namespace hvbench
