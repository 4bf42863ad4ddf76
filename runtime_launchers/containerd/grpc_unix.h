// Unary gRPC calls over a unix socket (HTTP/2 without TLS), one connection a call: what containerd
// offers as its API. Messages are protobuf bytes that the caller makes and reads.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "runtime_launchers/support/deadline.h"

namespace hvbench {

// The canonical codes (github.com/grpc/grpc, doc/statuscodes.md) that somebody here looks at.
inline constexpr int kGrpcOk = 0;
inline constexpr int kGrpcNotFound = 5;
inline constexpr int kGrpcFailedPrecondition = 9;

struct GrpcReply {
  int status = -1;
  std::string message;  // for people; "" for kGrpcOk
  std::string body;     // the reply's protobuf bytes, at most 4 MiB
};

class GrpcUnixClient {
 public:
  // `metadata` goes along with each call.
  GrpcUnixClient(std::filesystem::path socket, std::map<std::string, std::string> metadata,
                 bool interruptible)
      : socket_(std::move(socket)), metadata_(std::move(metadata)), interruptible_(interruptible) {}

  const std::filesystem::path& socket() const { return socket_; }

  // `method` is "/package.Service/Method". Any status of the server is a result. Throws SystemError
  // if nobody listens, TimedOut, Interrupted, and Error for what is no gRPC.
  GrpcReply Call(const std::string& method, const std::string& request, Deadline deadline) const;

 private:
  std::filesystem::path socket_;
  std::map<std::string, std::string> metadata_;
  bool interruptible_;
};

}  // namespace hvbench
