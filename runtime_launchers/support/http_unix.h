// HTTP/1.1 over a unix socket, one request a connection: what daemons and VMMs offer as their API.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "runtime_launchers/support/deadline.h"
#include "runtime_launchers/support/unique_fd.h"

namespace hvbench {

enum class HttpMethod { kGet, kPut, kPost, kPatch, kDelete };

struct HttpRequest {
  HttpMethod method = HttpMethod::kGet;
  std::string target;  // path and query; see PercentEncode
  std::string body;
  std::string content_type = "application/json";
};

struct HttpResponse {
  int status = 0;
  std::string body;  // at most 16 MiB
  bool success() const { return status >= 200 && status < 300; }
};

// Values in a target's query.
std::string PercentEncode(std::string_view text);

class HttpUnixClient {
 public:
  HttpUnixClient(std::filesystem::path socket, bool interruptible)
      : socket_(std::move(socket)), interruptible_(interruptible) {}

  const std::filesystem::path& socket() const { return socket_; }

  // Any status is a result. Throws SystemError if nobody listens, TimedOut, Interrupted, and Error
  // for what is no HTTP.
  HttpResponse Send(const HttpRequest& request, Deadline deadline) const;

  // Asks for the connection itself ("Upgrade: tcp"). With status 101 or 200 the stream of raw bytes
  // is in `stream`, not one of them lost; otherwise the response says why not.
  HttpResponse Upgrade(const std::string& target, Deadline deadline, UniqueFd& stream) const;

 private:
  std::filesystem::path socket_;
  bool interruptible_;
};

}  // namespace hvbench
