// QEMU's machine protocol: JSON, one message a line, over a unix socket of the VMM's.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "runtime_launchers/support/deadline.h"
#include "runtime_launchers/support/unique_fd.h"

namespace hvbench {

// Calls throw TimedOut, and Error if the VMM refuses or its end is gone. After TimedOut the
// connection is of no more use: a late answer would be taken for the next one's.
class QmpClient {
 public:
  QmpClient() = default;
  // Waits for the VMM to listen, then for its greeting. Error if the process behind `death_fd` ends
  // first; Interrupted.
  static QmpClient Connect(const std::filesystem::path& socket, int death_fd, Deadline deadline);

  bool connected() const { return static_cast<bool>(socket_); }
  void Stop(Deadline deadline) { Execute("stop", deadline); }
  void Continue(Deadline deadline) { Execute("cont", deadline); }
  void Quit(Deadline deadline) { Execute("quit", deadline); }
  // "running", "paused", "prelaunch", "guest-panicked", ...
  std::string Status(Deadline deadline);
  // Host thread ids of the vCPUs, in their order.
  std::vector<pid_t> VcpuThreads(Deadline deadline);
  // Why the machine went down, of the SHUTDOWN events that have come so far: "guest-reset",
  // "guest-shutdown", "host-signal", ...; "" if none has. Does not wait, never throws.
  std::string ShutdownReason();

 private:
  // The text of the "return" value.
  std::string Execute(const char* command, Deadline deadline, bool interruptible = false);
  std::string ReadLine(Deadline deadline, bool interruptible);
  bool TakeLine(std::string& line);
  bool ReadAvailable();
  void NoteEvent(const std::string& line);

  UniqueFd socket_;
  std::string buffer_;
  std::string shutdown_reason_;
};

}  // namespace hvbench
