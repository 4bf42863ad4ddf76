#include "tests/unit/runtime_launchers/support/fake_http_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace hvbench {
namespace {

// As far as the client sends it; without a head if it sends none.
FakeHttpRequest ReadHttpRequest(int connection) {
  FakeHttpRequest request;
  std::string text;
  std::size_t body_at = std::string::npos;
  std::size_t body_size = 0;
  char buffer[4096];
  while (body_at == std::string::npos || text.size() < body_at + body_size) {
    const ssize_t n = read(connection, buffer, sizeof buffer);
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
    const std::size_t end = text.find("\r\n\r\n");
    if (body_at != std::string::npos || end == std::string::npos) continue;
    body_at = end + 4;
    constexpr std::string_view kLength = "Content-Length: ";
    const std::size_t length = text.find(kLength);
    if (length < end) body_size = std::strtoul(text.c_str() + length + kLength.size(), nullptr, 10);
  }
  request.head = text.substr(0, body_at);
  if (body_at != std::string::npos) request.body = text.substr(body_at);
  return request;
}

}  // namespace

std::string HttpAnswer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " Word\r\nContent-Type: application/json\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

FakeHttpServer::FakeHttpServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
  thread_ = std::thread([this] { Serve(); });
}

FakeHttpServer::FakeHttpServer(std::function<std::string(const FakeHttpRequest&)> answer)
    : answer_(std::move(answer)) {
  thread_ = std::thread([this] { Serve(); });
}

FakeHttpServer::~FakeHttpServer() {
  socket_.Close();
  thread_.join();
}

std::vector<FakeHttpRequest> FakeHttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<std::string> FakeHttpServer::lines() const {
  std::vector<std::string> lines;
  for (const FakeHttpRequest& request : requests()) lines.push_back(request.line());
  return lines;
}

void FakeHttpServer::Serve() {
  for (std::size_t next = 0; answer_ || next < answers_.size();) {
    UniqueFd connection = socket_.Accept();
    if (!connection) return;
    FakeHttpRequest request = ReadHttpRequest(connection.get());
    if (request.head.empty()) continue;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const std::string answer = answer_ ? answer_(request) : answers_[next];
    ++next;
    // Before the client has its answer, and may ask again.
    if (!answer_ && next == answers_.size()) socket_.Close();
    if (answer.empty()) {
      silent_.push_back(std::move(connection));
    } else {
      send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }
}

}  // namespace hvbench
