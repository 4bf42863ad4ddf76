// A Docker container that runs the agent, attached to through the daemon.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "runtime_launchers/docker_engine.h"
#include "runtime_launchers/process_guest.h"

namespace hvbench {

struct OciRuntimeOfDaemon {
  std::string name;  // "" if the daemon has none that fits
  std::string path;  // a name alone is looked up in the daemon's PATH
  std::string all;   // all names that the daemon has, for people
  bool IsGvisor() const { return (name + path).find("runsc") != std::string::npos; }
  bool IsKata() const { return (name + path).find("kata") != std::string::npos; }
};

class DockerGuest : public ProcessGuest {
 public:
  // `info` is what the daemon says of itself.
  DockerGuest(const LaunchRequest& request, OciRuntimeOfDaemon runtime, nlohmann::json info);
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
                        std::vector<std::string> agent_arguments, bool attach) const;
  void Create(const DockerEngine& engine, const nlohmann::json& config, Deadline deadline);
  void StartContainer(const DockerEngine& engine, Deadline deadline);
  bool FindHostProcesses(const nlohmann::json& state, const LaunchRequest& request);
  void AdoptShim();

  std::string name_;
  OciRuntimeOfDaemon runtime_;
  nlohmann::json info_;
  std::string cgroup_parent_;
  std::string container_;  // its id, once it is made
  bool created_ = false;
  std::optional<Process> shim_;
  std::string daemon_error_;
};

}  // namespace hvbench
