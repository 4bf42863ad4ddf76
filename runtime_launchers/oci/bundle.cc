#include "runtime_launchers/oci/bundle.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "runtime_launchers/process_guest.h"
#include "runtime_launchers/support/cgroup_base.h"
#include "runtime_launchers/support/cpu_set.h"
#include "runtime_launchers/support/json.h"
#include "runtime_launchers/support/trusted_path.h"

namespace hvbench {
namespace {

// Docker's default set (its documentation, "Runtime privilege and Linux capabilities"), so that
// an OCI guest may do what a Docker guest may.
const Json& DefaultCapabilities() {
  static const Json kCapabilities = {
      "CAP_AUDIT_WRITE", "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FOWNER",           "CAP_FSETID",
      "CAP_KILL",        "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",
      "CAP_SETGID",      "CAP_SETPCAP", "CAP_SETUID",       "CAP_SYS_CHROOT"};
  return kCapabilities;
}

Json MountOf(const char* destination, const char* type, const char* source,
             std::vector<std::string> options) {
  return {{"destination", destination},
          {"type", type},
          {"source", source},
          {"options", std::move(options)}};
}

Json Mounts(const LaunchRequest& request) {
  Json mounts = {
      MountOf("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}),
      MountOf("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      MountOf("/dev/pts", "devpts", "devpts",
              {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}),
      MountOf("/dev/shm", "tmpfs", "shm",
              {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
      MountOf("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
      MountOf("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}),
      MountOf("/tmp", "tmpfs", "tmpfs", {"nosuid", "nodev", "mode=1777"}),
  };
  if (!request.volume_dir.empty()) {
    mounts.push_back(MountOf(kGuestVolume, "bind", request.volume_dir.c_str(), {"rbind", "rw"}));
  }
  return mounts;
}

// {"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 524288}, ...
Json RlimitsOf(const std::vector<ResourceLimit>& limits) {
  Json rlimits = Json::array();
  for (const ResourceLimit& limit : limits) {
    std::string type = std::string("RLIMIT_") + limit.name;
    std::ranges::transform(type, type.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c; });
    rlimits.push_back({{"type", type}, {"soft", limit.soft}, {"hard", limit.hard}});
  }
  return rlimits;
}

Json ProcessOf(const std::vector<std::string>& agent_arguments) {
  Json arguments = {kGuestAgent};
  for (const std::string& argument : agent_arguments) arguments.push_back(argument);
  Json process = {{"terminal", false},
                  {"user", {{"uid", 0}, {"gid", 0}, {"umask", kStatedUmask}}},
                  {"args", arguments},
                  {"env", AgentEnvironment()},
                  {"cwd", "/"},
                  {"rlimits", RlimitsOf(GuestLimits())},
                  {"capabilities",
                   {{"bounding", DefaultCapabilities()},
                    {"effective", DefaultCapabilities()},
                    {"permitted", DefaultCapabilities()}}},
                  {"noNewPrivileges", true}};
  // A daemon's own would be inherited.
  if (MaySetOomScoreAdj()) process["oomScoreAdj"] = kStatedOomScoreAdj;
  return process;
}

Json ResourcesOf(const GuestShape& shape) {
  Json resources = {{"devices", {{{"allow", false}, {"access", "rwm"}}}}};
  if (!shape.host_cpus.empty()) {
    resources["cpu"] = {{"cpus", FormatCpuList(shape.host_cpus)}};
  }
  if (shape.memory_mib > 0) {
    const std::int64_t bytes = shape.memory_mib << 20;
    resources["memory"] = {{"limit", bytes}, {"swap", bytes}};  // memory and swap together
  }
  return resources;
}

// Adds the device itself to `linux_part`, and the right to use it.
void AddDevice(const std::filesystem::path& path, Json& linux_part) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) throw SystemError("no device " + path.string(), errno);
  if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode)) {
    throw Error(path.string() + " is no device");
  }
  const Json device = {{"type", S_ISCHR(status.st_mode) ? "c" : "b"},
                       {"major", major(status.st_rdev)},
                       {"minor", minor(status.st_rdev)}};
  Json allowed = device;
  allowed.update({{"allow", true}, {"access", "rwm"}});
  linux_part["resources"]["devices"].push_back(std::move(allowed));
  Json node = device;
  node.update({{"path", path.string()}, {"fileMode", 0666}, {"uid", 0}, {"gid", 0}});
  linux_part["devices"].push_back(std::move(node));
}

Json LinuxOf(const LaunchRequest& request) {
  Json namespaces = Json::array();
  for (const char* type : {"pid", "ipc", "uts", "mount"}) namespaces.push_back({{"type", type}});
  namespaces.push_back({{"type", "network"}});
  if (request.network) namespaces.back()["path"] = request.network->network_namespace.string();
  // The paths are those that `runc spec` and Docker hide.
  return {{"cgroupsPath", CgroupsPathOf(request.cgroup)},
          {"resources", ResourcesOf(request.shape)},
          {"namespaces", namespaces},
          {"maskedPaths",
           {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
            "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
            "/sys/firmware"}},
          {"readonlyPaths",
           {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}}};
}

}  // namespace

std::vector<std::string> ContainerAgentArguments(const LaunchRequest& request) {
  std::vector<std::string> arguments = {"--stdio", std::string("--scratch=") + kGuestScratch};
  if (!request.volume_dir.empty()) arguments.push_back(std::string("--volume=") + kGuestVolume);
  if (request.network) arguments.push_back("--peer=" + request.network->peer);
  if (request.application) arguments.emplace_back("--application=/");
  return arguments;
}

std::filesystem::path RootOfBundle(const std::filesystem::path& bundle,
                                   const LaunchRequest& request) {
  return request.application ? request.application->root : bundle / "rootfs";
}

std::filesystem::path AgentOfBundle(const std::filesystem::path& bundle,
                                    const LaunchRequest& request) {
  return RootOfBundle(bundle, request) / std::filesystem::path(kGuestAgent).relative_path();
}

void WriteOciBundle(const std::filesystem::path& bundle, const LaunchRequest& request,
                    const std::vector<std::string>& agent_arguments,
                    const OciConfigExtras& extras) {
  namespace fs = std::filesystem;
  const fs::path rootfs = RootOfBundle(bundle, request);
  fs::create_directories(bundle);
  for (const char* dir : {"proc", "sys", "dev", "tmp", "scratch"}) {
    fs::create_directories(rootfs / dir);
  }
  CopyProgram(request.agent, AgentOfBundle(bundle, request));

  Json config = {{"ociVersion", "1.0.2"},
                 {"process", ProcessOf(agent_arguments)},
                 {"root",
                  {{"path", request.application ? fs::absolute(rootfs).string() : "rootfs"},
                   {"readonly", false}}},
                 {"hostname", "hvbench"},
                 {"mounts", Mounts(request)},
                 {"linux", LinuxOf(request)}};
  for (const auto& [key, value] : extras.annotations) config["annotations"][key] = value;
  for (const fs::path& device : extras.devices) AddDevice(device, config["linux"]);
  std::ofstream file(bundle / "config.json");
  file << WriteJson(config, 1) << std::flush;
  if (!file)
    throw Error("cannot write " + (bundle / "config.json").string() + ": is the disk full?");
}

}  // namespace hvbench
