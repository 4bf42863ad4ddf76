#include "runtime_launchers/support/http_unix.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <optional>
#include <utility>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/interrupt.h"
#include "runtime_launchers/support/socket_path.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::uint64_t kMaxBodyBytes = 16 * 1024 * 1024;
constexpr std::size_t kMaxHeaderBytes = 64 * 1024;

http::verb VerbOf(HttpMethod method) {
  switch (method) {
    case HttpMethod::kGet:
      return http::verb::get;
    case HttpMethod::kPut:
      return http::verb::put;
    case HttpMethod::kPost:
      return http::verb::post;
    case HttpMethod::kPatch:
      return http::verb::patch;
    case HttpMethod::kDelete:
      return http::verb::delete_;
  }
  return http::verb::unknown;
}

http::request<http::string_body> MakeRequest(HttpMethod method, const std::string& target) {
  http::request<http::string_body> request(VerbOf(method), target, 11);
  request.set(http::field::host, "localhost");
  request.set(http::field::user_agent, "hvbench");
  return request;
}

// One connection. Each operation is asynchronous inside and a wait with a deadline outside.
class Connection {
 public:
  Connection(std::filesystem::path path, Deadline deadline, bool interruptible)
      : path_(std::move(path)),
        deadline_(deadline),
        interruptible_(interruptible),
        socket_(io_),
        interrupt_(io_) {
    if (interruptible_ && InterruptRequested()) throw Interrupted();
    if (interruptible_ && InterruptFd() >= 0) WatchInterrupt();
    const SocketPath socket_path(path_);
    const error_code error = Await([&](auto done) {
      socket_.async_connect(asio::local::stream_protocol::endpoint(socket_path.name()), done);
    });
    if (error) throw SystemError("cannot connect to " + path_.string(), error.value());
  }

  void Write(const http::request<http::string_body>& request) {
    // A daemon that refuses may close before it has read all; its answer says why.
    const error_code error =
        Await([&](auto done) { http::async_write(socket_, request, WithoutSize(done)); });
    if (error && error != asio::error::broken_pipe && error != asio::error::connection_reset) {
      throw SystemError("cannot write to " + path_.string(), error.value());
    }
  }

  HttpResponse ReadResponse() {
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMaxBodyBytes);
    const error_code error =
        Await([&](auto done) { http::async_read(socket_, buffer, parser, WithoutSize(done)); });
    if (error) Reject(error);
    return {static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
  }

  // Takes the header and not one byte behind it: those belong to the upgraded stream.
  HttpResponse ReadUpgrade() {
    const std::string header = ReadHeader();
    http::response_parser<http::string_body> parser;
    error_code error;
    parser.put(asio::buffer(header), error);
    if (error && error != http::error::need_more) Reject(error);
    HttpResponse response{static_cast<int>(parser.get().result_int()), ""};
    if (response.status == 101 || response.status == 200) return response;
    boost::beast::flat_buffer buffer;
    error = Await([&](auto done) { http::async_read(socket_, buffer, parser, WithoutSize(done)); });
    if (error) Reject(error);
    response.body = std::move(parser.get().body());
    return response;
  }

  UniqueFd Release() {
    error_code error;
    UniqueFd fd(socket_.release(error));
    if (error) throw SystemError("cannot take the connection to " + path_.string(), error.value());
    return fd;
  }

 private:
  template <typename Done>
  static auto WithoutSize(Done done) {
    return [done](error_code error, std::size_t) mutable { done(error); };
  }

  [[noreturn]] void Reject(const error_code& error) const {
    throw Error("no proper HTTP response from " + path_.string() + ": " + error.message());
  }

  void WatchInterrupt() {
    interrupt_.assign(dup(InterruptFd()));
    interrupt_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code error) {
      if (!error) interrupted_ = true;
    });
  }

  // Runs one operation to its end.
  template <typename Start>
  error_code Await(Start start) {
    std::optional<error_code> result;
    start([&result](error_code error) { result = error; });
    io_.restart();
    while (!result && !interrupted_ && io_.run_one_until(deadline_.when()) > 0) {
    }
    if (result) return *result;
    error_code ignored;
    socket_.close(ignored);
    interrupt_.close(ignored);
    io_.restart();
    io_.run();  // the cancelled operation's handler still refers to `result`
    if (interrupted_) throw Interrupted();
    throw TimedOut("no answer from " + path_.string() + " in time");
  }

  // Byte by byte: what is read behind the header could not be given back.
  std::string ReadHeader() {
    std::string header;
    while (!header.ends_with("\r\n\r\n")) {
      if (!WaitReadable(socket_.native_handle(), deadline_, interruptible_)) {
        throw TimedOut("no answer from " + path_.string() + " in time");
      }
      char byte = 0;
      const ssize_t n = recv(socket_.native_handle(), &byte, 1, MSG_DONTWAIT);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (n <= 0 || header.size() == kMaxHeaderBytes) Reject(http::error::end_of_stream);
      header += byte;
    }
    return header;
  }

  std::filesystem::path path_;
  Deadline deadline_;
  bool interruptible_;
  bool interrupted_ = false;
  asio::io_context io_;
  asio::local::stream_protocol::socket socket_;
  asio::posix::stream_descriptor interrupt_;
};

}  // namespace

std::string PercentEncode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '.' || byte == '_' ||
                       byte == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

HttpResponse HttpUnixClient::Send(const HttpRequest& request, Deadline deadline) const {
  Connection connection(socket_, deadline, interruptible_);
  auto message = MakeRequest(request.method, request.target);
  message.set(http::field::connection, "close");
  if (!request.body.empty()) message.set(http::field::content_type, request.content_type);
  message.body() = request.body;
  message.prepare_payload();
  connection.Write(message);
  return connection.ReadResponse();
}

HttpResponse HttpUnixClient::Upgrade(const std::string& target, Deadline deadline,
                                     UniqueFd& stream) const {
  Connection connection(socket_, deadline, interruptible_);
  auto message = MakeRequest(HttpMethod::kPost, target);
  message.set(http::field::connection, "Upgrade");
  message.set(http::field::upgrade, "tcp");
  message.prepare_payload();
  connection.Write(message);
  HttpResponse response = connection.ReadUpgrade();
  if (response.status == 101 || response.status == 200) stream = connection.Release();
  return response;
}

}  // namespace hvbench
