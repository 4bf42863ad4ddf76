// A server of HTTP over a unix socket that answers what a test tells it, word for word.
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/runtime_launchers/support/fake_socket.h"

namespace hvbench {

struct FakeHttpRequest {
  std::string head;  // with the empty line
  std::string body;

  std::string line() const { return head.substr(0, head.find(" HTTP/")); }  // "GET /info"
};

// A whole response with a body of JSON.
std::string HttpAnswer(int status, const std::string& body);

// Answers each connection's request with the next of its texts, and closes the connection then. A
// text of "" is no answer at all: the connection stays open. Once all are given, connections are
// refused. A connection without a request takes no answer.
class FakeHttpServer {
 public:
  explicit FakeHttpServer(std::vector<std::string> answers);
  // Without end: what `answer`, on the server's thread, makes of each request.
  explicit FakeHttpServer(std::function<std::string(const FakeHttpRequest&)> answer);
  ~FakeHttpServer();
  FakeHttpServer(const FakeHttpServer&) = delete;
  FakeHttpServer& operator=(const FakeHttpServer&) = delete;

  std::filesystem::path path() const { return socket_.path(); }
  std::vector<FakeHttpRequest> requests() const;
  // Their first lines.
  std::vector<std::string> lines() const;

 private:
  void Serve();

  FakeSocket socket_;
  std::vector<std::string> answers_;
  std::function<std::string(const FakeHttpRequest&)> answer_;
  mutable std::mutex mutex_;
  std::vector<FakeHttpRequest> requests_;
  std::vector<UniqueFd> silent_;  // the thread's
  std::thread thread_;
};

}  // namespace hvbench
