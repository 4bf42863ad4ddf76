#include "runtime_launchers/docker/api.h"

#include <charconv>
#include <filesystem>
#include <limits>
#include <vector>

#include "runtime_launchers/support/error.h"

namespace hvbench {
namespace {

// How well a daemon's runtime fits what is wanted; the least is the best.
enum class Fit { kSameName, kSameProgram, kSimilar, kAlias, kNone };

Fit FitOf(const std::string& name, const std::string& path, const std::string& wanted) {
  if (name == wanted) return Fit::kSameName;
  const bool contains =
      name.find(wanted) != std::string::npos || path.find(wanted) != std::string::npos;
  if (!contains) return Fit::kNone;
  // Docker lists its runc under names of shims too.
  if (name.starts_with("io.")) return Fit::kAlias;
  return std::filesystem::path(path).filename() == wanted ? Fit::kSameProgram : Fit::kSimilar;
}

std::string PathOf(const Json& runtime) {
  const std::string path = TextIn(runtime, "path");
  return path.empty() ? TextIn(runtime, "runtimeType") : path;
}

std::string Names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::string TextIn(const Json& object, const char* field) {
  if (!object.is_object()) return "";
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t NumberIn(const Json& object, const char* field, std::int64_t otherwise) {
  if (!object.is_object()) return otherwise;
  const auto found = object.find(field);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>()
                                                             : otherwise;
}

bool FlagIn(const Json& object, const char* field) {
  if (!object.is_object()) return false;
  const auto found = object.find(field);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

int DaemonInfo::major_version() const {
  int major = 0;  // "23.0.1"
  std::from_chars(version.data(), version.data() + version.size(), major);
  return major;
}

DaemonInfo ParseDaemonInfo(const Json& info) {
  DaemonInfo parsed;
  parsed.version = TextIn(info, "ServerVersion");
  parsed.cgroup_driver = TextIn(info, "CgroupDriver");
  parsed.storage_driver = TextIn(info, "Driver");
  parsed.root_dir = TextIn(info, "DockerRootDir");
  if (!info.is_object()) return parsed;
  if (const auto runtimes = info.find("Runtimes");
      runtimes != info.end() && runtimes->is_object()) {
    parsed.runtimes = *runtimes;
  }
  // ["name=apparmor", "name=seccomp,profile=default", "name=userns"]
  if (const auto options = info.find("SecurityOptions"); options != info.end()) {
    for (const Json& option : *options) {
      const std::string text = option.is_string() ? option.get<std::string>() : "";
      const std::string name = text.substr(0, text.find(','));
      parsed.rootless = parsed.rootless || name == "name=rootless" || name == "rootless";
      parsed.remaps_users = parsed.remaps_users || name == "name=userns" || name == "userns";
    }
  }
  return parsed;
}

std::optional<Unusable> WhyUnprovable(const DaemonInfo& info) {
  if (info.cgroup_driver != "none") return std::nullopt;
  return Unusable{
      "the Docker daemon puts containers into no control group (cgroup driver 'none'), so their "
      "processes cannot be told from others'",
      info.rootless ? "rootless Docker needs cgroup v2 and systemd with delegated controllers "
                      "(https://docs.docker.com/engine/security/rootless/), or use a daemon of root"
                    : "start dockerd where it may make control groups"};
}

OciRuntimeOfDaemon ChooseOciRuntime(const DaemonInfo& info, const std::string& wanted) {
  OciRuntimeOfDaemon chosen;
  Fit best = Fit::kNone;
  std::vector<std::string> all;
  std::vector<std::string> equals;
  for (const auto& [name, details] : info.runtimes.items()) {
    all.push_back(name);
    const std::string path = PathOf(details);
    const Fit fit = FitOf(name, path, wanted);
    if (fit == Fit::kNone || fit > best) continue;
    if (fit < best) equals.clear();
    best = fit;
    equals.push_back(name);
    if (equals.size() > 1) continue;
    chosen.name = name;
    chosen.path = path;
  }
  chosen.all = Names(all);
  if (equals.size() > 1 && best != Fit::kAlias) {
    chosen.ambiguous = Names(equals);
    chosen.name.clear();
    chosen.path.clear();
  }
  return chosen;
}

OciRuntimeOfDaemon NamedOciRuntime(const DaemonInfo& info, const std::string& wanted) {
  OciRuntimeOfDaemon chosen;
  std::vector<std::string> all;
  for (const auto& [name, details] : info.runtimes.items()) {
    all.push_back(name);
    if (name != wanted) continue;
    chosen.name = name;
    chosen.path = PathOf(details);
  }
  chosen.all = Names(all);
  return chosen;
}

ContainerState ParseContainerState(const Json& container) {
  if (!container.is_object() || !container.contains("State") || !container["State"].is_object()) {
    throw Error("the Docker daemon's description of a container has no state");
  }
  const Json& state = container["State"];
  ContainerState parsed;
  const std::int64_t pid = NumberIn(state, "Pid", 0);
  if (pid > 0 && pid <= std::numeric_limits<pid_t>::max()) parsed.pid = static_cast<pid_t>(pid);
  // Older daemons had the flag alone, and later ones may have the word alone.
  parsed.running = FlagIn(state, "Running") || TextIn(state, "Status") == "running";
  parsed.oom_killed = FlagIn(state, "OOMKilled");
  parsed.exit_code = static_cast<int>(NumberIn(state, "ExitCode", -1));
  parsed.error = TextIn(state, "Error");
  return parsed;
}

}  // namespace hvbench
