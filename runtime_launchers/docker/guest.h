// A Docker container that runs the agent, attached to through the daemon.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime_launchers/docker/engine.h"
#include "runtime_launchers/process_guest.h"
#include "runtime_launchers/support/json.h"

namespace hvbench {

// Of a guest's folder: a file that is there from before the daemon is asked for the container until
// that is removed.
std::filesystem::path AskedForContainer(const std::filesystem::path& guest_dir);

class DockerGuest : public ProcessGuest {
 public:
  // `info` is what the daemon says of itself.
  DockerGuest(const LaunchRequest& request, OciRuntimeOfDaemon runtime, DaemonInfo info);
  ~DockerGuest() override { ForceDown(); }

  void Start(const LaunchRequest& request);
  // Runs the agent without a bridge to its end. Throws Error if it does not exit with 0.
  void Try(const LaunchRequest& request);
  std::string ConsoleTail() override;

 private:
  void RemoveRuntimeState(Deadline deadline) override;
  std::vector<pid_t> HelperProcesses() const override;
  std::string DescribeDeath(const ExitStatus& status) override;
  nlohmann::json Config(const LaunchRequest& request, const std::string& image,
                        std::vector<std::string> agent_arguments) const;
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
  OciRuntimeOfDaemon runtime_;
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
