// The part of containerd's API that the suite uses (its api/services/*/v1/*.proto): stable since
// containerd 1.0, unlike the command line of its debugging tool ctr, which copies the streams of a
// task through a process of its own.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "runtime_launchers/containerd/grpc_unix.h"
#include "runtime_launchers/support/deadline.h"

namespace hvbench {

// A protobuf message together with its name, as google.protobuf.Any has it.
struct TypedMessage {
  std::string type;  // "" for none
  std::string bytes;
};

// Options of the shims io.containerd.runc.*: the OCI runtime that they call.
TypedMessage RuncShimOptions(const std::filesystem::path& binary);
// Options of other shims: the path of a configuration file, of a kind that the shim knows.
TypedMessage ConfigFileOptions(const std::filesystem::path& config, const std::string& kind);

struct ContainerToCreate {
  std::string id;
  std::string runtime;  // "io.containerd.runc.v2", or the absolute path of a shim
  TypedMessage runtime_options;
  std::string spec;  // the content of an OCI config.json with absolute paths
};

// What a task's standard streams are on the host: FIFOs, or files for those that it writes.
struct TaskStreams {
  std::filesystem::path input;
  std::filesystem::path output;
  std::filesystem::path error;
};

// Everything that the suite makes lies in one containerd namespace. All calls throw SystemError
// where no containerd listens, TimedOut, Interrupted, and Error with containerd's own message where
// it refuses.
class ContainerdClient {
 public:
  explicit ContainerdClient(bool interruptible);

  // $CONTAINERD_ADDRESS, or the first of the usual sockets that is there, or the usual one.
  static std::filesystem::path DaemonSocket();

  const std::filesystem::path& socket() const { return client_.socket(); }

  std::string Version(Deadline deadline) const;
  void CreateContainer(const ContainerToCreate& container, Deadline deadline) const;
  // `bundle_rootfs` is bound over the task's root; "" where the spec names the root itself. Returns
  // the process on the host: the container's first one, or its VMM.
  pid_t CreateTask(const std::string& id, const TaskStreams& streams,
                   const std::filesystem::path& bundle_rootfs, Deadline deadline) const;
  void StartTask(const std::string& id, Deadline deadline) const;
  // Returns once the task has ended: its status as a shell has it, 128 and a signal's number.
  int WaitTask(const std::string& id, Deadline deadline) const;
  // The container and its task, dead or alive. Nothing happens if there is none.
  void Remove(const std::string& id, Deadline deadline) const;
  bool HasContainer(const std::string& id, Deadline deadline) const;
  // The namespace, unless somebody else's containers of this suite are in it.
  void RemoveNamespace(Deadline deadline) const;
  bool HasNamespace(Deadline deadline) const;

 private:
  // Throws for any other status than kGrpcOk.
  std::string Call(const std::string& method, const std::string& request, const char* what,
                   Deadline deadline) const;
  [[noreturn]] void Refuse(const char* what, const GrpcReply& reply) const;

  GrpcUnixClient client_;
};

}  // namespace hvbench
