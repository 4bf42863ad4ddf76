// A containerd task that runs the agent: a container, or a VM with a container in it.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime_launchers/containerd/client.h"
#include "runtime_launchers/process_guest.h"

namespace hvbench {

// How one guest is to be run. Made anew for each, because a shim's options are files.
struct ContainerdTask {
  std::string runtime;  // a name as "io.containerd.runc.v2", or the absolute path of a shim
  TypedMessage runtime_options;
  // A VM: its memory is its limit, and shim, VMM and helpers enter the guest's control group.
  bool is_vm = false;
  std::map<std::string, std::string> facts;
  // Folders of the guest that a killed shim leaves, with mounts in them.
  std::vector<std::filesystem::path> shim_folders;
  // What a launch reads, beside the bundle: to be evicted for a cold one.
  std::vector<std::filesystem::path> programs;
  std::vector<std::filesystem::path> images;
  std::string guest_memory_file;  // as in ProcessGuest
};

class ContainerdGuest : public ProcessGuest {
 public:
  ContainerdGuest(const LaunchRequest& request, ContainerdTask task);
  ~ContainerdGuest() override { ForceDown(); }

  void Start(const LaunchRequest& request);
  // Runs the agent without a bridge to its end. Throws Error if it does not exit with 0.
  void Try(const LaunchRequest& request);

 private:
  void RemoveRuntimeState(Deadline deadline) override;
  std::vector<pid_t> HelperProcesses() const override;
  std::string DescribeDeath(const ExitStatus& status) override;
  void Prepare(const LaunchRequest& request, const std::vector<std::string>& agent_arguments);
  // Makes the container and its task, which does not run yet.
  void Create(const ContainerdClient& containerd, const LaunchRequest& request,
              const TaskStreams& streams);
  void AdoptMainProcess(pid_t pid);
  void AdoptShim();

  std::string id_;
  GuestMark mark_;
  BootTicks started_ = 0;  // before containerd made the task
  ContainerdTask task_;
  std::filesystem::path guest_dir_;
  bool created_ = false;
  std::optional<Process> shim_;
};

}  // namespace hvbench
