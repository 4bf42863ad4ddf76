// A Docker container that runs the agent, attached to through the daemon.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime_launchers/docker/engine.h"
#include "runtime_launchers/process_guest.h"
#include "runtime_launchers/support/json.h"
#include "runtime_launchers/support/unusable.h"

namespace hvbench {

// A file in a guest's folder that is there from before the daemon is asked for the container until
// that is removed.
std::filesystem::path AskedForContainer(const std::filesystem::path& guest_dir);

// What an OCI runtime of a daemon's can differ in.
struct DockerRuntime {
  // What the names or paths of such runtimes contain; "": of any.
  std::string program;
  std::string accelerator = "none";
  std::string guest_kernel = "host";
  std::string guest_memory_file;  // as GuestTraits::memory_file
  // A VM: shim, VMM and helpers enter the guest's control group, which its memory is the limit of.
  bool is_vm = false;
  NetworkDevice network_device = NetworkDevice::kVeth;
  // The name by which containerd finds a shim that the daemon need not know, and its program; "":
  // none.
  std::string shim_name;
  std::string shim_program;
  // What to do where the daemon has no such runtime; "": --add-runtime.
  std::string install_fix;
  // Says why this machine cannot run it; may be empty.
  std::function<std::optional<Unusable>()> check;
  // What a failed trial start means, from its reason; may be empty.
  std::function<std::optional<Unusable>(const std::string& reason)> explain;
};

class DockerGuest : public ProcessGuest {
 public:
  // `oci_runtime` is what the daemon has of it, `info` what the daemon says of itself.
  DockerGuest(const LaunchRequest& request, DockerRuntime runtime, OciRuntimeOfDaemon oci_runtime,
              DaemonInfo info);
  ~DockerGuest() override { ForceDown(); }

  void Start(const LaunchRequest& request);
  // Runs the agent without a bridge to its end. Throws Error if it does not exit with 0.
  void Try(const LaunchRequest& request);
  std::string ConsoleTail() override;

 private:
  void RemoveRuntimeState(Deadline deadline) override;
  std::vector<pid_t> HelperProcesses() const override;
  std::string DescribeDeath(const ExitStatus& status) override;
  // The image that the request wants, in the daemon's store.
  static std::string EnsureImage(const DockerEngine& engine, const LaunchRequest& request);
  void MakeCgroupParent() const;
  void Create(const LaunchRequest& request, const nlohmann::json& config);
  void StartContainer(const DockerEngine& engine, Deadline deadline);
  // False if the container has ended already. Throws NotProved where the daemon names a process
  // that cannot be shown to be the container's.
  bool FindHostProcesses(const DockerEngine& engine, const LaunchRequest& request);
  void AdoptMainProcess(pid_t pid);
  void AdoptShim();
  [[noreturn]] void ThrowEnded(const DockerEngine& engine, const UniqueFd& stream,
                               Deadline deadline) const;

  std::string name_;
  DockerRuntime runtime_;
  OciRuntimeOfDaemon oci_runtime_;
  DaemonInfo info_;
  std::string cgroup_parent_;
  std::string container_;  // its id, once it is made
  std::optional<GuestMark> mark_;
  BootTicks started_ = 0;  // before the daemon started the container
  bool created_ = false;
  std::filesystem::path guest_dir_;
  std::optional<Process> shim_;
  std::string daemon_error_;
};

}  // namespace hvbench
