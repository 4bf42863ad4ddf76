// Child processes: started without a shell, waited for with deadlines, through pidfds.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime_launchers/support/deadline.h"
#include "runtime_launchers/support/identity.h"
#include "runtime_launchers/support/unique_fd.h"

namespace hvbench {

struct SpawnOptions {
  int stdin_fd = -1;  // -1: /dev/null. Not closed by Spawn.
  int stdout_fd = -1;
  int stderr_fd = -1;
  std::vector<int> cpus;  // affinity; empty: the caller's
  std::vector<std::filesystem::path>
      cgroup_procs;                      // cgroup.procs files that the child enters first
  std::filesystem::path working_dir;     // empty: the caller's
  std::vector<std::string> environment;  // "NAME=value"; empty: AgentEnvironment()
  std::filesystem::path hidden_mount;  // unmounted in a mount namespace of the child\'s own; or ""
  std::filesystem::path covered_dir;   // empty in a mount namespace of the child's own; or ""
  std::filesystem::path network_namespace;  // a file that is one (namespaces(7)), entered; or ""
  bool die_with_parent = true;              // SIGKILL when this program dies
  bool new_session = true;                  // out of the terminal's reach (Ctrl-C)
  // The caller's environment, limits, umask, ... instead of those of process_state.h. Signals are
  // at their defaults in any case.
  bool as_caller = false;
};

// How a process ended.
struct ExitStatus {
  int exit_code = -1;  // -1: by a signal
  int signal = 0;      // 0: exited
  bool success() const { return exit_code == 0; }
  std::string Describe() const;  // "exited with 3", "was killed by signal 9 (Killed)"
};

// A child of this program. Destroying a running one kills and reaps it.
class Process {
 public:
  // Throws SystemError; a program that cannot be executed is reported here, with its errno.
  static Process Spawn(const std::vector<std::string>& argv, const SpawnOptions& options);
  // Takes over a process that was proved to be ours: of a daemon, or one that is, or will be,
  // reparented to this program (see BecomeSubreaper).
  static Process Adopt(ProvedProcess proved);

  Process() = default;
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  // Does nothing for one that has ended.
  void Kill(int signal) const;
  // SIGKILL for all of the session that it leads, as SpawnOptions::new_session makes it.
  void KillSession() const;
  // Nothing if it still runs at the deadline. Repeated calls return the same.
  std::optional<ExitStatus> Wait(Deadline deadline);

 private:
  pid_t pid_ = -1;
  UniqueFd pidfd_;
  std::optional<ExitStatus> status_;
};

// Whether a thread's id is of one of the process's threads.
bool IsThreadOf(pid_t thread, const Process& process);

struct CommandResult {
  ExitStatus status;
  std::string output;  // standard output and standard error, at most 64 KiB of its end
};

// Runs a command to its end. TimedOut (after killing it) with its output's end, Interrupted if
// `interruptible`; Error for one that prints without end, which is killed long before.
CommandResult RunCommand(const std::vector<std::string>& argv, Deadline deadline,
                         bool interruptible = true);
// With more options; their standard output and error are replaced.
CommandResult RunCommand(const std::vector<std::string>& argv, SpawnOptions options,
                         Deadline deadline, bool interruptible);

// Orphaned grandchildren (a detached container's first process) become children of this program.
void BecomeSubreaper();

// Reaps ended children of this program that no Process holds: what guests left to a subreaper.
void ReapOrphans();

// The words with a space between them, to be read, not to be run: nothing is quoted.
std::string CommandLine(const std::vector<std::string>& argv);

// PATH look-up of a name without '/', or the name itself if it is an executable file.
std::optional<std::filesystem::path> FindExecutable(const std::filesystem::path& name);

// [read end, write end], both close-on-exec.
std::pair<UniqueFd, UniqueFd> MakePipe();

// A child with pipes to its standard input and from its standard output.
struct PipedProcess {
  Process process;
  UniqueFd to;
  UniqueFd from;
};

// Those two of `options` are replaced.
PipedProcess SpawnPiped(const std::vector<std::string>& argv, SpawnOptions options);

}  // namespace hvbench
