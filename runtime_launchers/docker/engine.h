// The part of the Docker Engine API that the suite uses. Requests name no API version: they are of
// the daemon's own.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime_launchers/docker/api.h"
#include "runtime_launchers/support/deadline.h"
#include "runtime_launchers/support/http_unix.h"
#include "runtime_launchers/support/json.h"
#include "runtime_launchers/support/unique_fd.h"

namespace hvbench {

// All calls throw SystemError where no daemon listens, TimedOut, Interrupted, and Error with the
// daemon's own message where it refuses.
class DockerEngine {
 public:
  // The socket that DOCKER_HOST names, or Docker's usual one. Error if DOCKER_HOST is no socket.
  explicit DockerEngine(bool interruptible);

  const std::filesystem::path& socket() const { return client_.socket(); }

  DaemonInfo Info(Deadline deadline) const;

  bool HasImage(const std::string& reference, Deadline deadline) const;
  // The image's description by the daemon (GET /images/{name}/json).
  nlohmann::json InspectImage(const std::string& reference, Deadline deadline) const;
  // `tar` is a root file system; the image carries the label "org.hvbench=1".
  void ImportImage(const std::string& repository, const std::string& tag, std::string tar,
                   Deadline deadline) const;
  // Those with that label which no container has.
  void RemoveOwnImages(Deadline deadline) const;

  // Its id; nothing if there is no such image.
  std::optional<std::string> CreateContainer(const std::string& name, const nlohmann::json& config,
                                             Deadline deadline) const;
  // The container's standard streams; to be called before Start, so that nothing is missed.
  UniqueFd AttachContainer(const std::string& name, Deadline deadline) const;
  void StartContainer(const std::string& name, Deadline deadline) const;
  // Its exit status.
  int WaitContainer(const std::string& name, Deadline deadline) const;
  nlohmann::json InspectContainer(const std::string& name, Deadline deadline) const;
  ContainerState StateOfContainer(const std::string& name, Deadline deadline) const;
  // Kills it if it runs. False if there is no such container.
  bool RemoveContainer(const std::string& name, Deadline deadline) const;

 private:
  HttpResponse Send(const HttpRequest& request, const char* what, Deadline deadline) const;
  nlohmann::json GetJson(const std::string& target, const char* what, Deadline deadline) const;

  HttpUnixClient client_;
};

}  // namespace hvbench
