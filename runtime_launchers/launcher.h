// The contract between the suite and one runtime. A runtime is one .cc file here that implements
// Launcher and Guest, and one line in runtimes.def. tests/contract/ runs the same tests against
// all.
//
// Errors: every call may throw Error, whose text says what failed, what the runtime printed last,
// and what to do; a wait ends with its deadline or, where it says so, with an interrupt
// (Interrupted). Threads: all calls come from the program's main thread, but for guests that are to
// start at the same time: each is then launched, used and shut down by a thread of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime_launchers/endpoint.h"
#include "runtime_launchers/guest_application.h"
#include "runtime_launchers/guest_image.h"
#include "runtime_launchers/support/deadline.h"
#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/guest_network.h"

namespace hvbench {

// The same for every guest of a run.
struct GuestShape {
  int vcpus = 1;
  std::int64_t memory_mib = 512;
  // The host CPUs that serve a guest, `vcpus` of them; where the machine has too few, all it has.
  std::vector<int> host_cpus;
};

// From runtimes.def or the user's runtimes file.
struct RuntimeOptions {
  std::string name;                  // the value of the runtime: key, [a-z0-9_.-]+
  std::filesystem::path binary;      // empty: the launcher's usual name, looked up in PATH
  std::vector<std::string> options;  // extra command-line options of that binary
  // The program's, for virtual machines; outlives the launcher. Null where nothing is launched.
  GuestImageStore* images = nullptr;
};

enum class ProbeDepth {
  kShallow,  // binary, version, permissions: starts nothing of the runtime but `--version`
  kTrial,    // also a trial start that proves that this machine can run it
};

struct ProbeResult {
  bool usable = false;
  std::string version;  // "" if unknown
  std::string reason;   // why not usable, one sentence; "" if usable
  std::string fix;      // the command or step that makes it usable; "" if none is known
  // Why it is measured only if it is named, although it is usable; "" if there is no reason.
  std::string passed_over{};
};

struct LaunchRequest {
  std::string guest_id;  // unique on this machine while it runs, [a-z0-9-]+
  std::string cgroup;    // "/hvbench-<run>/<guest>": the guest's own, below our own
  // Exists, empty, for this guest alone; removed by the caller. Its parent is the run's: what a
  // run's guests share may lie there, in folders of the runtime's name and an ending.
  std::filesystem::path guest_dir;
  std::filesystem::path agent;  // the static agent binary on the host
  // A directory of the host that the guest sees, writable, in the way that the runtime's users have
  // (bind mount, gofer, virtio-fs); the agent is told where by --volume=DIR. "": none. A runtime
  // that has none leaves the argument out, and its cells are skipped.
  std::filesystem::path volume_dir;
  // Raw files of the host that a VM gets as block devices. "": none. A runtime without block
  // devices ignores them. The first may be overwritten; the agent is told of it by --disk=DEVICE.
  std::filesystem::path disk_image;
  // An ext4, for machines that start from an archive in their memory: the agent's scratch directory
  // is on it, --scratch=DEVICE, or the applications are, --application=DEVICE.
  std::filesystem::path root_image;
  // Whether the binaries and images that this boot reads are to be evicted from the page cache,
  // right before launch_called_ns. Launch throws CannotRunHere if they cannot be.
  bool cold_cache = false;
  GuestShape shape;
  std::optional<GuestNetwork> network;  // nothing: the guest has loopback alone
  // The applications' root file system: the guest's own root, but for the bare host and VMs, whose
  // agent is told where it is by --application=PATH. Nothing: the root is the agent alone.
  std::optional<GuestApplication> application;
  Deadline deadline;
};

// Results of a launch on the host's CLOCK_MONOTONIC_RAW, in nanoseconds.
struct LaunchPhases {
  // The guest's files are ready (image, bundle, copy of the agent); the runtime's work begins.
  std::int64_t launch_called_ns = 0;
  std::int64_t process_started_ns = 0;  // the runtime's create or start call returned
};

struct GuestMemory {
  std::optional<std::int64_t> pss_bytes;  // of all host processes; nothing where it is unreadable
  // The part of it that is the guest's own: a VM's RAM, what a sandbox's kernel gave to the guest,
  // the agent itself in a container. The rest is what the runtime needs beside it.
  std::int64_t guest_bytes = 0;
  int processes = 0;
};

enum class StopMode {
  kOrderly,  // the agent was asked to end: wait for that within the deadline, then as kForced
  kForced,   // kill at once
};

// A booted instance. Destroying one without Shutdown forces it down.
class Guest {
 public:
  Guest() = default;
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  virtual ~Guest() = default;

  // Once: the caller owns what it returns.
  virtual Endpoint TakeEndpoint() = 0;
  // A pidfd that becomes readable when the guest has died; owned by the guest, -1 if there is none.
  virtual int DeathFd() const = 0;
  virtual LaunchPhases Phases() const = 0;
  // "command_line", "accelerator", "transport", "guest_kernel", "binary_sha256", ... for the JSON.
  virtual std::map<std::string, std::string> Facts() const = 0;

  // A frozen guest uses no CPU. Both are idempotent.
  virtual void Freeze() = 0;
  virtual void Thaw() = 0;

  // CPU time so far of every host process that serves the guest (VMM, vhost, sentry, gofer, shim),
  // and of the commands that launched it.
  // Cheap: it is read around every timed run.
  virtual std::chrono::nanoseconds HostCpu() = 0;
  // The memory of the same processes. Walks their page tables: not to be called around a timed run.
  virtual GuestMemory Memory() = 0;
  // What the guest and its runtime printed last, at most a few KiB; "" if nothing.
  virtual std::string ConsoleTail() = 0;
  // Why it died, for people: "killed by signal 9, out of memory". "" while it lives or if unknown.
  virtual std::string DeathReason() = 0;
  // Returns when everything of the guest is gone: processes, cgroups, mounts, runtime state.
  // Idempotent; not ended by an interrupt.
  virtual void Shutdown(StopMode mode, Deadline deadline) = 0;
};

class Launcher {
 public:
  Launcher() = default;
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;
  virtual ~Launcher() = default;

  virtual const std::string& name() const = 0;
  // Never throws for a runtime that is missing or broken: that is a result. The trial start is of a
  // guest like every other, with `trial`'s names, folder and agent, and a shape and a deadline that
  // the launcher chooses; but for the folder, all of it is gone at the end. kShallow does not look
  // at `trial`. Interrupted.
  virtual ProbeResult Probe(ProbeDepth depth, const LaunchRequest& trial) = 0;
  // What LaunchRequest::network may be of.
  virtual NetworkDevice network_device() const { return NetworkDevice::kNone; }
  // Whether its guests have LaunchRequest::root_image for a root file system.
  virtual bool has_root_image() const { return false; }
  // What LaunchRequest::application may be of.
  virtual ApplicationForm application_form() const { return ApplicationForm::kNone; }
  // Throws after removing all that the failed launch made.
  virtual std::unique_ptr<Guest> Launch(const LaunchRequest& request) = 0;
  // Removes what a killed program left of the guest that it launched into `guest_dir`: runtime
  // state, mounts, daemon objects. Its processes and cgroup are already gone. Must not fail for
  // what is not there.
  virtual void RemoveStale(const std::string& guest_id, const std::filesystem::path& guest_dir) = 0;
  // CPU time so far of daemons that serve all guests of this runtime, and maybe others.
  virtual std::chrono::nanoseconds DaemonCpu() { return {}; }
  // Removes what the launcher keeps between runs, such as an image in a daemon's store.
  virtual void RemoveCaches() {}
};

using LauncherFactory = std::unique_ptr<Launcher> (*)(RuntimeOptions options);

// One line of runtimes.def. `kind` is what a runtimes file calls "launcher".
struct RegisteredLauncher {
  std::string kind;
  LauncherFactory make = nullptr;
};

// Those of runtimes.def in its order, then those added with RegisterLauncher.
const std::vector<RegisteredLauncher>& RegisteredLaunchers();

// For other projects' runtimes; call it from main before the suite starts.
void RegisterLauncher(RegisteredLauncher launcher);

}  // namespace hvbench
