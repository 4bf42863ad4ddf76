// A gRPC server over a unix socket that answers what a test tells it.
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/unit/runtime_launchers/support/fake_socket.h"

namespace hvbench {

using FakeGrpcFields = std::vector<std::pair<std::string, std::string>>;

// A message as gRPC frames it in a body.
std::string GrpcFramed(const std::string& message, char compressed = '\0');

// Bytes as they are, or an HTTP/2 reply of the parts below.
struct FakeGrpcAnswer {
  std::string raw;
  std::string body;
  FakeGrpcFields trailers;
  bool silent = false;
  // Instead of `body`: the message, made once the call is there, on the server's thread.
  std::function<std::string()> act{};
};

FakeGrpcAnswer GrpcReplyOf(const std::string& message);
FakeGrpcAnswer GrpcReplyBy(std::function<std::string()> act);
FakeGrpcAnswer GrpcRefusal(int status, const std::string& message);
FakeGrpcAnswer GrpcSilence();

struct FakeGrpcCall {
  FakeGrpcFields headers;
  std::string body;

  std::string Header(const std::string& name) const;  // "" if it has none
  std::string method() const { return Header(":path"); }
  std::string message() const { return body.substr(std::min<std::size_t>(body.size(), 5)); }
};

// Answers each connection's call with the next of its answers. Once all are given, connections are
// refused. A connection without a call takes no answer.
class FakeGrpcServer {
 public:
  explicit FakeGrpcServer(std::vector<FakeGrpcAnswer> answers);
  ~FakeGrpcServer();
  FakeGrpcServer(const FakeGrpcServer&) = delete;
  FakeGrpcServer& operator=(const FakeGrpcServer&) = delete;

  std::filesystem::path path() const { return socket_.path(); }
  // Those that arrived whole.
  std::vector<FakeGrpcCall> calls() const;
  // Their methods' last words: "Create".
  std::vector<std::string> methods() const;

 private:
  void Serve();

  FakeSocket socket_;
  std::vector<FakeGrpcAnswer> answers_;
  mutable std::mutex mutex_;
  std::vector<FakeGrpcCall> calls_;
  std::thread thread_;
};

}  // namespace hvbench
