// A real server in the guest: started in the application root, watched, and stopped in order. What
// it prints is its log, whose end stands in every message about its failure.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace hvbench::agent::kernels {

// A program in the application root. All paths are as they are seen in there.
struct ServerCommand {
  std::vector<std::string> argv;
  std::string log;                               // made anew; its standard output and error
  int stop_signal = SIGTERM;                     // asks it to end in order
  std::chrono::milliseconds stop_timeout{5000};  // after which it is killed
};

class ServerProcess {
 public:
  // `root` is Context::application_root. Throws KernelFailed, or Unsupported where the program is
  // not there.
  ServerProcess(std::string root, ServerCommand command);
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  // Stops it, and all that it started.
  ~ServerProcess();

  // Calls `serves` until that returns true. Throws KernelFailed if the server ends before, or the
  // time is over.
  void AwaitServing(const std::function<bool()>& serves, std::chrono::milliseconds timeout);
  // Throws KernelFailed if it has ended.
  void RequireAlive();
  // User and system time so far of all of its processes that live.
  std::uint64_t CpuNs() const;
  pid_t pid() const { return pid_; }
  // The end of its log, indented, each line after a line break; "" while it has printed nothing.
  std::string LogTail() const;

 private:
  std::string WithLog(const std::string& what) const;
  // How it ended, "" while it runs.
  std::string Ending();
  void Stop();

  std::string root_;
  ServerCommand command_;
  std::string name_;    // of the program, for people
  pid_t pid_ = -1;      // also its session's and process group's
  std::string ending_;  // known once it was waited for
};

// Runs a program of the application root to its end. Throws KernelFailed with the end of its log if
// it fails or takes too long.
void RunInApplicationRoot(const std::string& root, const ServerCommand& command,
                          std::chrono::milliseconds timeout);

// Where a server keeps its files, empty: `path` in the application root. Throws KernelFailed, also
// for a full disk.
void MakeEmptyDirectory(const std::string& root, const std::string& path);
void WriteFileIn(const std::string& root, const std::string& path, const std::string& content);

}  // namespace hvbench::agent::kernels
