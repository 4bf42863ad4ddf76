#include "runtime_launchers/vm/firecracker_guest.h"

#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <utility>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/json.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/socket_path.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr char kVmm[] = "Firecracker";
// Names in the VMM's root folder.
constexpr char kApiSocket[] = "api.sock";
constexpr char kVsockSocket[] = "v.sock";
constexpr char kGuestKernel[] = "vmlinux";
constexpr char kInitramfs[] = "initramfs";
constexpr char kState[] = "machine";
constexpr char kMemory[] = "memory";
constexpr char kMetrics[] = "metrics";
constexpr char kDisk[] = "disk";

constexpr std::uint32_t kAgentPort = 52;
// The jail's name: a folder of the guest alone. Short, for the sockets' paths (107 bytes at most).
constexpr char kJailId[] = "vm";
// "nobody": owns nothing on the host.
constexpr unsigned kJailUser = 65534;
// The VMM's own memory and KVM's page tables: 5 MiB by its specification, and some for its log.
constexpr std::int64_t kVmmMemoryMib = 64;
constexpr auto kAgentPoll = std::chrono::milliseconds(2);
constexpr auto kMetricsTimeout = std::chrono::seconds(2);

// The machine ends by a reset through the i8042, which has nothing else here.
constexpr char kKernelParameters[] = "reboot=k i8042.noaux i8042.nomux i8042.dumbkbd";

std::int64_t MonotonicUs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
}

// A connection that the guest's agent has accepted, as the VMM says; nothing if it does not listen.
UniqueFd ConnectToAgent(const fs::path& vsock, Deadline deadline) {
  const SocketPath socket_path(vsock);
  const sockaddr_un address = socket_path.address();
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const std::string request = "CONNECT " + std::to_string(kAgentPort) + "\n";
  if (!fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    return {};
  }
  char answer[2] = {};
  const bool accepted = WaitReadable(fd.get(), deadline, /*interruptible=*/true) &&
                        recv(fd.get(), answer, sizeof answer, 0) == sizeof answer &&
                        answer[0] == 'O';
  return accepted ? std::move(fd) : UniqueFd();
}

}  // namespace

FirecrackerGuest::FirecrackerGuest(FirecrackerOptions options, const LaunchRequest& request)
    : VmmGuest(options.binary, request.shape, kVmmMemoryMib), options_(std::move(options)) {
  root_ = request.guest_dir;
  if (!options_.jailer.empty()) root_ = root_ / options_.binary.filename() / kJailId / "root";
}

void FirecrackerGuest::MakeOwn(const fs::path& file) const {
  if (!options_.jailer.empty() && chown(file.c_str(), kJailUser, kJailUser) != 0) {
    throw SystemError("cannot give " + file.string() + " to the jail", errno);
  }
}

void FirecrackerGuest::Place(const fs::path& file, const std::string& name, bool writable) const {
  const fs::path placed = root_ / name;
  std::error_code error;
  if (options_.jailer.empty()) {
    fs::create_symlink(file, placed, error);
  } else {
    // A link follows no other file system, and a file that the guest writes must be no copy.
    fs::create_hard_link(file, placed, error);
    if (error && !writable) fs::copy_file(file, placed, error);
  }
  if (error) throw Error("cannot give the VMM " + file.string() + ": " + error.message());
  if (writable) MakeOwn(placed);
}

std::vector<std::string> FirecrackerGuest::Command() const {
  std::vector<std::string> command;
  if (options_.jailer.empty()) {
    command = {options_.binary.string()};
  } else {
    const std::string user = std::to_string(kJailUser);
    const fs::path base = root_.parent_path().parent_path().parent_path();
    command = {options_.jailer.string(),
               "--id",
               kJailId,
               "--exec-file",
               options_.binary.string(),
               "--uid",
               user,
               "--gid",
               user,
               "--chroot-base-dir",
               base.string(),
               "--"};
  }
  command.insert(command.end(), {"--api-sock", kApiSocket, "--level", "Error"});
  if (options_.pci) command.emplace_back("--enable-pci");
  command.insert(command.end(), options_.arguments.begin(), options_.arguments.end());
  return command;
}

void FirecrackerGuest::Spawn(const LaunchRequest& request, const std::vector<fs::path>& images) {
  EvictFromCache(request, images);
  NoteLaunchCalled();
  std::ofstream(root_ / kMetrics).flush();
  MakeOwn(root_ / kMetrics);
  SpawnOptions options;
  options.working_dir = root_;
  std::vector<std::string> command = Command();
  // What its startup time counts from; the jailer says so itself.
  if (options_.jailer.empty()) {
    command.insert(command.end(), {"--start-time-us", std::to_string(MonotonicUs())});
  }
  SpawnVmm(request, command, options);
  api_.emplace(root_ / kApiSocket, /*interruptible=*/true);
  AskVmm(kVmm, [&] {
    api_->AwaitAnswer(process(), request.deadline);
    NoteProcessStarted();
    api_->SetMetricsFile(kMetrics, request.deadline);
  });
  SetEndpoint(VsockOverUnixEndpoint{root_ / kVsockSocket, kAgentPort});
}

void FirecrackerGuest::MakeRoot() {
  fs::create_directories(root_);
  MakeOwn(root_);
}

void FirecrackerGuest::NoteOwnFacts(const std::string& guest_kernel_release,
                                    const std::string& guest_kernel_sha256) {
  NoteFacts("kvm", guest_kernel_release, guest_kernel_sha256);
  AddFacts({{"command_line", CommandLine(Command())},
            {"transport", "vsock"},
            {"jailer", options_.jailer.empty() ? "no" : "yes"},
            {"virtio_bus", options_.pci ? "pci" : "mmio"}});
}

void FirecrackerGuest::Boot(const LaunchRequest& request, const GuestImage& image) {
  BootWith(request, image, "");
}

void FirecrackerGuest::BootTemplate(const LaunchRequest& request, const GuestImage& image) {
  // The file with its memory counts as the VMM's as long as it is not written back, and for ever
  // if it lies in a tmpfs.
  GuestTraits with_file = traits();
  with_file.memory_mib += request.shape.memory_mib;
  SetTraits(std::move(with_file));
  BootWith(request, image, " --relisten");
}

void FirecrackerGuest::BootWith(const LaunchRequest& request, const GuestImage& image,
                                const std::string& agent_option) {
  MakeRoot();
  Place(image.vmlinux, kGuestKernel, /*writable=*/false);
  Place(image.initramfs, kInitramfs, /*writable=*/false);
  FirecrackerMachine machine;
  machine.vcpus = request.shape.vcpus;
  machine.memory_mib = request.shape.memory_mib;
  machine.guest_kernel = kGuestKernel;
  machine.initramfs = kInitramfs;
  machine.vsock_socket = kVsockSocket;
  NoteOwnFacts(image.guest_kernel_release, image.guest_kernel_sha256);
  GuestMachine as_seen;
  as_seen.kernel_parameters = kKernelParameters + std::string(options_.pci ? "" : " pci=off");
  as_seen.bridge_option = "--vsock=" + std::to_string(kAgentPort) + agent_option;
  as_seen.disks = GuestDisksOf(request);
  as_seen.network = request.network;
  machine.kernel_parameters = GuestCommandLine(as_seen);
  AddDevices(as_seen, machine);
  AddFacts({{"kernel_arguments", machine.kernel_parameters}});
  Spawn(request, {image.vmlinux, image.initramfs});
  AskVmm(kVmm, [&] { api_->Start(machine, request.deadline); });
}

void FirecrackerGuest::AddDevices(const GuestMachine& as_seen, FirecrackerMachine& machine) {
  machine.io_engine = options_.io_engine;
  for (const GuestDisk& disk : as_seen.disks) {
    machine.disks.push_back(kDisk + std::to_string(machine.disks.size()));
    Place(fs::absolute(disk.file), machine.disks.back(), /*writable=*/true);
    AddFacts({{"disk", "virtio-blk, through the host's page cache, " + options_.io_engine}});
  }
  if (as_seen.network) {
    machine.tap = as_seen.network->interface;
    machine.mac = as_seen.network->mac;
    AddFacts({{"network", "virtio-net on a tap, Firecracker"}});
  }
}

void FirecrackerGuest::Restore(const LaunchRequest& request, const FirecrackerSnapshot& snapshot) {
  MakeRoot();
  Place(snapshot.state, kState, /*writable=*/false);
  Place(snapshot.memory, kMemory, /*writable=*/false);
  NoteOwnFacts(snapshot.guest_kernel_release, snapshot.guest_kernel_sha256);
  AddFacts({{"snapshot", snapshot.memory}});
  Spawn(request, {snapshot.state, snapshot.memory});
  AskVmm(kVmm, [&] { api_->LoadSnapshot(kState, kMemory, request.deadline); });
}

void FirecrackerGuest::SaveTo(const FirecrackerSnapshot& snapshot, Deadline deadline) {
  // Open until the machine is saved: a copy's agent then waits on a connection that its own vsock
  // device has never had. The device resets all such ones, and what would be connected before that
  // as well; so the agent must not listen earlier, as it does until it refuses another connection.
  UniqueFd connection;
  const fs::path vsock = root_ / kVsockSocket;
  for (;;) {
    if (!connection) {
      connection = ConnectToAgent(vsock, deadline);
    } else if (!ConnectToAgent(vsock, deadline)) {
      break;
    }
    if (!DeathReason().empty()) {
      throw Error("the guest died: " + DeathReason() + AsQuote(ConsoleTail()));
    }
    if (deadline.Passed()) {
      throw TimedOut("the guest's agent did not answer in time" + AsQuote(ConsoleTail()));
    }
    Pause(kAgentPoll, /*interruptible=*/true);
  }
  AskVmm(kVmm, [&] {
    api_->Pause(deadline);
    api_->CreateSnapshot(kState, kMemory, deadline);
  });
  std::error_code error;
  fs::rename(root_ / kState, snapshot.state, error);
  if (!error) fs::rename(root_ / kMemory, snapshot.memory, error);
  if (error) throw Error("Firecracker's snapshot cannot be kept: " + error.message());
}

std::map<std::string, std::string> FirecrackerGuest::Facts() const {
  std::map<std::string, std::string> facts = ProcessGuest::Facts();
  try {
    FirecrackerApi(root_ / kApiSocket, /*interruptible=*/false)
        .FlushMetrics(Deadline::In(kMetricsTimeout));
    std::ifstream file(root_ / kMetrics);
    std::string line;
    for (std::string next; std::getline(file, next);) line = next;
    const auto metrics = nlohmann::json::parse(line);
    facts["vmm_startup_us"] = metrics.at("api_server").at("process_startup_time_us").dump();
    facts["snapshot_load_us"] = metrics.at("latencies_us").at("load_snapshot").dump();
  } catch (const std::exception&) {
    // A VMM that has ended has no metrics, and one of another release may have others.
  }
  return facts;
}

}  // namespace hvbench
