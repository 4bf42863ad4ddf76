#include "tests/contract/private_docker.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "runtime_launchers/support/json.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/wait.h"
#include "tests/support/disk_folder.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr char kDefaultSocket[] = "/var/run/docker.sock";
constexpr char kSystemContainerd[] = "/run/containerd/containerd.sock";
constexpr auto kStartTimeout = std::chrono::seconds(30);
constexpr auto kDaemonStopTimeout = std::chrono::seconds(20);

// Runtimes with arguments can be given in a file alone. runsc's own network needs a namespace with
// interfaces, which nobody makes here.
fs::path WriteConfig(const fs::path& dir) {
  // What some users have, and what must not show in a guest.
  nlohmann::json config = {{"init", true}};
  const char* runsc = std::getenv("HVBENCH_RUNSC");
  if (const auto binary = FindExecutable(runsc != nullptr ? runsc : "runsc")) {
    config["runtimes"]["runsc"] = {{"path", binary->string()}, {"runtimeArgs", {"--network=none"}}};
  }
  const fs::path file = dir / "daemon.json";
  std::ofstream(file) << config.dump();
  return file;
}

}  // namespace

std::unique_ptr<PrivateDocker> PrivateDocker::StartIfNeeded() {
  const auto dockerd = FindExecutable("dockerd");
  if (std::getenv("DOCKER_HOST") != nullptr || fs::exists(kDefaultSocket) || !dockerd ||
      geteuid() != 0) {
    return nullptr;
  }
  std::string pattern = test::DiskFolder() / "hvbench-docker-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) return nullptr;
  std::unique_ptr<PrivateDocker> docker(new PrivateDocker);
  docker->dir_ = pattern;
  const fs::path socket = docker->dir_ / "docker.sock";
  const std::vector<std::string> command = {dockerd->string(),
                                            "--data-root=" + (docker->dir_ / "data").string(),
                                            "--exec-root=" + (docker->dir_ / "exec").string(),
                                            "--host=unix://" + socket.string(),
                                            "--pidfile=" + (docker->dir_ / "pid").string(),
                                            "--iptables=false",
                                            "--ip6tables=false",
                                            "--bridge=none",
                                            "--config-file=" + WriteConfig(docker->dir_).string()};
  const fs::path log_file = docker->dir_ / "log";
  const UniqueFd log(open(log_file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  SpawnOptions options;
  options.stdout_fd = log.get();
  options.stderr_fd = log.get();
  options.as_caller = true;
  docker->daemon_ = Process::Spawn(command, options);
  const Deadline deadline = Deadline::In(kStartTimeout);
  // dockerd listens before the containerd that it starts where the machine runs none.
  const fs::path containerd = fs::exists(kSystemContainerd)
                                  ? fs::path(kSystemContainerd)
                                  : docker->dir_ / "exec/containerd/containerd.sock";
  while (!fs::exists(socket) || !fs::exists(containerd)) {
    if (deadline.Passed() || docker->daemon_.Wait(Deadline())) {
      std::cerr << "a private dockerd does not start" << AsQuote(TailOfFile(log_file)) << "\n";
      return nullptr;
    }
    Pause(std::chrono::milliseconds(50), /*interruptible=*/false);
  }
  setenv("DOCKER_HOST", ("unix://" + socket.string()).c_str(), 1);
  setenv("CONTAINERD_ADDRESS", containerd.c_str(), 0);
  return docker;
}

PrivateDocker::~PrivateDocker() {
  // SIGTERM lets it stop its containerd and unmount what it mounted.
  daemon_.Kill(SIGTERM);
  if (!daemon_.Wait(Deadline::In(kDaemonStopTimeout))) {
    std::cerr << "dockerd had to be killed\n";
    daemon_.Kill(SIGKILL);
    daemon_.Wait(Deadline::In(kDaemonStopTimeout));
  }
  ReapOrphans();
  std::error_code error;
  fs::remove_all(dir_, error);
  if (error) std::cerr << "cannot remove " << dir_ << ": " << error.message() << "\n";
}

}  // namespace hvbench
