// What the Docker Engine API's answers say, for releases 20 to 29 of the daemon. Fields come and go
// from one release to the next, and a field that is not there may also be null: nothing here throws
// for what is missing or of another type, but for what cannot be done without.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "runtime_launchers/support/json.h"
#include "runtime_launchers/support/unusable.h"

namespace hvbench {

// The field of an object, or `otherwise` where it is missing, null or of another type.
std::string TextIn(const nlohmann::json& object, const char* field);
std::int64_t NumberIn(const nlohmann::json& object, const char* field, std::int64_t otherwise);
bool FlagIn(const nlohmann::json& object, const char* field);

// GET /info.
struct DaemonInfo {
  std::string version;         // "20.10.24+dfsg1"
  std::string cgroup_driver;   // "systemd", "cgroupfs", "none"; "" if untold
  std::string storage_driver;  // "overlay2"; "overlayfs" of containerd's image store
  std::string root_dir;        // where images and containers lie on the daemon's machine
  bool rootless = false;
  bool remaps_users = false;  // userns-remap
  nlohmann::json runtimes = nlohmann::json::object();
  bool UsesSystemd() const { return cgroup_driver == "systemd"; }
  int major_version() const;  // 0 if it cannot be told
};
DaemonInfo ParseDaemonInfo(const nlohmann::json& info);

// Why containers' processes cannot be told from others' with such a daemon; nothing if they can.
std::optional<Unusable> WhyUnprovable(const DaemonInfo& info);

struct OciRuntimeOfDaemon {
  std::string name;  // "" if the daemon has none that fits
  std::string path;  // a name alone is looked up in the daemon's PATH; or the type of a shim
  std::string all;   // all names that the daemon has, for people
  // Those that fit equally well, if more than one does: then none of them was chosen.
  std::string ambiguous;
};

// The runtime of that very name, or else the one whose program has it, or else the only one whose
// name or program contains it.
OciRuntimeOfDaemon ChooseOciRuntime(const DaemonInfo& info, const std::string& wanted);
// The runtime of that very name alone.
OciRuntimeOfDaemon NamedOciRuntime(const DaemonInfo& info, const std::string& name);

// "State" of GET /containers/{id}/json.
struct ContainerState {
  pid_t pid = 0;  // in the daemon's PID namespace; 0 if it does not run
  bool running = false;
  bool oom_killed = false;
  int exit_code = -1;
  std::string error;
};
// Error if the answer has none.
ContainerState ParseContainerState(const nlohmann::json& container);

}  // namespace hvbench
