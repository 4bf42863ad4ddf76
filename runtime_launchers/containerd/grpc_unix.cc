#include "runtime_launchers/containerd/grpc_unix.h"

#include <nghttp2/nghttp2.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string_view>
#include <vector>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/socket_path.h"
#include "runtime_launchers/support/unique_fd.h"
#include "runtime_launchers/support/wait.h"

namespace hvbench {
namespace {

constexpr std::size_t kMaxReplyBytes = 4 * 1024 * 1024;
// gRPC over HTTP/2: one byte says whether the message is compressed, four are its size, big-endian.
constexpr std::size_t kPrefixBytes = 5;

std::string Framed(const std::string& message) {
  const std::size_t size = message.size();
  std::string framed(1, '\0');
  for (const int shift : {24, 16, 8, 0}) framed += static_cast<char>(size >> shift & 0xff);
  return framed + message;
}

std::string Unframed(const std::string& framed) {
  if (framed.empty()) return "";
  std::size_t size = 0;
  for (std::size_t i = 1; i < std::min(kPrefixBytes, framed.size()); ++i) {
    size = size << 8 | static_cast<unsigned char>(framed[i]);
  }
  if (framed[0] != '\0' || framed.size() != kPrefixBytes + size) {
    throw Error("a gRPC reply is compressed or incomplete");
  }
  return framed.substr(kPrefixBytes);
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// grpc-message is percent-encoded; what is no valid escape stays as it is.
std::string PercentDecode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
                        HexDigit(text[i + 2]) >= 0;
    decoded +=
        escape ? static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return decoded;
}

UniqueFd Connect(const std::filesystem::path& path, Deadline deadline) {
  const SocketPath socket_path(path);
  const sockaddr_un address = socket_path.address();
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Requests fit into the socket's buffer: only a server that is stuck makes these block at all.
  const auto left = std::max<std::int64_t>(
      1000, std::chrono::ceil<std::chrono::microseconds>(deadline.Remaining()).count());
  const timeval timeout = {left / 1'000'000, left % 1'000'000};
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw SystemError("cannot connect to " + path.string(), errno);
  }
  return fd;
}

// One call. nghttp2 calls back into it from within Receive and Send.
class Exchange {
 public:
  Exchange(const std::filesystem::path& socket, Deadline deadline, bool interruptible)
      : path_(socket),
        deadline_(deadline),
        interruptible_(interruptible),
        fd_(Connect(socket, deadline)),
        session_(MakeSession(this)) {}

  GrpcReply Run(const std::string& method, const std::map<std::string, std::string>& metadata,
                const std::string& request);

 private:
  struct SessionDeleter {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };
  using Session = std::unique_ptr<nghttp2_session, SessionDeleter>;

  static Session MakeSession(Exchange* self);
  static int OnHeader(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                      std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                      std::uint8_t flags, void* self);
  static int OnData(nghttp2_session*, std::uint8_t flags, std::int32_t stream,
                    const std::uint8_t* data, std::size_t size, void* self);
  static int OnClose(nghttp2_session*, std::int32_t stream, std::uint32_t error, void* self);
  static ssize_t ReadRequest(nghttp2_session*, std::int32_t stream, std::uint8_t* buffer,
                             std::size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                             void*);
  void Submit(const std::string& method, const std::map<std::string, std::string>& metadata);
  void Send();
  void Receive();
  [[noreturn]] void Reject(const std::string& why) const {
    throw Error("no proper gRPC reply from " + path_.string() + ": " + why);
  }

  std::filesystem::path path_;
  Deadline deadline_;
  bool interruptible_;
  UniqueFd fd_;
  std::string unsent_;  // of the request
  GrpcReply reply_;
  bool closed_ = false;
  bool too_large_ = false;
  Session session_;
};

Exchange::Session Exchange::MakeSession(Exchange* self) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
  nghttp2_session* session = nullptr;
  nghttp2_session_client_new(&session, callbacks, self);
  nghttp2_session_callbacks_del(callbacks);
  if (session == nullptr) throw Error("cannot make an HTTP/2 session: out of memory");
  return Session(session);
}

// The status stands in the trailers, or in the headers of a reply that has nothing else.
int Exchange::OnHeader(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* self) {
  GrpcReply& reply = static_cast<Exchange*>(self)->reply_;
  const std::string_view key(reinterpret_cast<const char*>(name), name_size);
  const std::string_view text(reinterpret_cast<const char*>(value), value_size);
  if (key == "grpc-status") {
    std::from_chars(text.data(), text.data() + text.size(), reply.status);
  } else if (key == "grpc-message") {
    reply.message = Printable(PercentDecode(text));
  }
  return 0;
}

int Exchange::OnData(nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* data,
                     std::size_t size, void* self) {
  Exchange& exchange = *static_cast<Exchange*>(self);
  exchange.too_large_ |= exchange.reply_.body.size() + size > kMaxReplyBytes;
  if (exchange.too_large_) return NGHTTP2_ERR_CALLBACK_FAILURE;
  exchange.reply_.body.append(reinterpret_cast<const char*>(data), size);
  return 0;
}

int Exchange::OnClose(nghttp2_session*, std::int32_t, std::uint32_t, void* self) {
  static_cast<Exchange*>(self)->closed_ = true;
  return 0;
}

ssize_t Exchange::ReadRequest(nghttp2_session*, std::int32_t, std::uint8_t* buffer,
                              std::size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                              void*) {
  std::string& unsent = static_cast<Exchange*>(source->ptr)->unsent_;
  const std::size_t n = std::min(size, unsent.size());
  std::copy_n(unsent.begin(), n, buffer);
  unsent.erase(0, n);
  if (unsent.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(n);
}

void Exchange::Submit(const std::string& method,
                      const std::map<std::string, std::string>& metadata) {
  // The server gives up when we do.
  const std::string timeout = std::to_string(std::clamp(deadline_.RemainingMs(), 1, 99'999'999));
  std::vector<std::pair<std::string, std::string>> headers = {
      {":method", "POST"},       {":scheme", "http"},
      {":path", method},         {":authority", "localhost"},
      {"te", "trailers"},        {"content-type", "application/grpc"},
      {"user-agent", "hvbench"}, {"grpc-timeout", timeout + "m"}};
  headers.insert(headers.end(), metadata.begin(), metadata.end());
  std::vector<nghttp2_nv> fields;
  for (auto& [name, value] : headers) {
    fields.push_back({reinterpret_cast<std::uint8_t*>(name.data()),
                      reinterpret_cast<std::uint8_t*>(value.data()), name.size(), value.size(),
                      NGHTTP2_NV_FLAG_NONE});
  }
  nghttp2_data_provider body = {};
  body.source.ptr = this;
  body.read_callback = ReadRequest;
  nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, nullptr, 0);
  const std::int32_t stream =
      nghttp2_submit_request(session_.get(), nullptr, fields.data(), fields.size(), &body, nullptr);
  if (stream < 0) throw Error(std::string("cannot make a gRPC call: ") + nghttp2_strerror(stream));
}

void Exchange::Send() {
  const std::uint8_t* data = nullptr;
  for (ssize_t size = 0; (size = nghttp2_session_mem_send(session_.get(), &data)) > 0;) {
    while (size > 0) {
      const ssize_t n = send(fd_.get(), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) throw TimedOut(path_.string() + " took no request in time");
      if (n < 0) throw SystemError("cannot write to " + path_.string(), errno);
      data += n;
      size -= n;
    }
  }
}

void Exchange::Receive() {
  if (!WaitReadable(fd_.get(), deadline_, interruptible_)) {
    throw TimedOut("no answer from " + path_.string() + " in time");
  }
  std::uint8_t buffer[16 * 1024];
  const ssize_t n = recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (n < 0) throw SystemError("cannot read from " + path_.string(), errno);
  if (n == 0) Reject("the connection was closed");
  const ssize_t used = nghttp2_session_mem_recv(session_.get(), buffer, static_cast<size_t>(n));
  if (too_large_) Reject("it is too large");
  if (used < 0) Reject(nghttp2_strerror(static_cast<int>(used)));
}

GrpcReply Exchange::Run(const std::string& method,
                        const std::map<std::string, std::string>& metadata,
                        const std::string& request) {
  unsent_ = Framed(request);
  Submit(method, metadata);
  Send();
  while (!closed_) {
    Receive();
    Send();  // acknowledgements, window updates
  }
  if (reply_.status < 0) Reject("it has no status");
  if (reply_.status == kGrpcOk) {
    reply_.body = Unframed(reply_.body);
    reply_.message.clear();
  }
  return std::move(reply_);
}

}  // namespace

GrpcReply GrpcUnixClient::Call(const std::string& method, const std::string& request,
                               Deadline deadline) const {
  return Exchange(socket_, deadline, interruptible_).Run(method, metadata_, request);
}

}  // namespace hvbench
