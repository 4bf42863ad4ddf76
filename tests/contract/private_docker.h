// A Docker daemon of the tests' own, where the machine has the program but runs none.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "runtime_launchers/support/process.h"

namespace hvbench {

class PrivateDocker {
 public:
  // Nothing if a daemon is running already, or there is no dockerd, or it does not start.
  // Sets DOCKER_HOST to the new daemon, and CONTAINERD_ADDRESS to the containerd that it uses,
  // unless that is set. It knows the runtime "runsc" where the machine has it.
  static std::unique_ptr<PrivateDocker> StartIfNeeded();
  ~PrivateDocker();

  pid_t pid() const { return daemon_.pid(); }

 private:
  PrivateDocker() = default;
  std::filesystem::path dir_;
  Process daemon_;
};

}  // namespace hvbench
