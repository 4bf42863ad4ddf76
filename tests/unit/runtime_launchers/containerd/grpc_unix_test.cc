#include "runtime_launchers/containerd/grpc_unix.h"

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/unique_fd.h"
#include "tests/support/soon.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string Framed(const std::string& message, char compressed = '\0') {
  std::string framed(1, compressed);
  for (const int shift : {24, 16, 8, 0}) {
    framed += static_cast<char>(message.size() >> shift & 0xff);
  }
  return framed + message;
}

// What a server answers: bytes as they are, or an HTTP/2 reply made of the parts below.
struct Answer {
  std::string raw;
  std::string body;
  Fields trailers;
  bool silent = false;
};

// Serves one connection.
class Server {
 public:
  explicit Server(Answer answer) : answer_(std::move(answer)) {
    listener_.Reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path().string().copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    listen(listener_.get(), 1);
    thread_ = std::thread([this] { Serve(); });
  }
  ~Server() { Stop(); }

  std::filesystem::path path() const { return dir_.path() / "socket"; }
  // Both after the call.
  const Fields& headers() { return Stop(), headers_; }
  const std::string& request() { return Stop(), request_; }

 private:
  void Stop() {
    shutdown(listener_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }
  void Serve();
  void Reply(nghttp2_session* session, std::int32_t stream);

  TemporaryDir dir_;
  Answer answer_;
  UniqueFd listener_;
  Fields headers_;
  std::string request_;
  std::size_t sent_ = 0;
  std::thread thread_;
};

nghttp2_nv FieldOf(const std::pair<std::string, std::string>& field) {
  const auto bytes = [](const std::string& text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  return {bytes(field.first), bytes(field.second), field.first.size(), field.second.size(),
          NGHTTP2_NV_FLAG_NONE};
}

void Server::Reply(nghttp2_session* session, std::int32_t stream) {
  const Fields headers = {{":status", "200"}, {"content-type", "application/grpc"}};
  std::vector<nghttp2_nv> fields;
  for (const auto& field : headers) fields.push_back(FieldOf(field));
  if (answer_.body.empty()) {  // "trailers only"
    for (const auto& field : answer_.trailers) fields.push_back(FieldOf(field));
    nghttp2_submit_response(session, stream, fields.data(), fields.size(), nullptr);
    return;
  }
  nghttp2_data_provider body = {};
  body.source.ptr = this;
  body.read_callback = [](nghttp2_session* in, std::int32_t id, std::uint8_t* buffer,
                          std::size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                          void*) -> ssize_t {
    auto& self = *static_cast<Server*>(source->ptr);
    const std::size_t n = self.answer_.body.copy(reinterpret_cast<char*>(buffer), size, self.sent_);
    self.sent_ += n;
    if (self.sent_ == self.answer_.body.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      std::vector<nghttp2_nv> trailers;
      for (const auto& field : self.answer_.trailers) trailers.push_back(FieldOf(field));
      nghttp2_submit_trailer(in, id, trailers.data(), trailers.size());
    }
    return static_cast<ssize_t>(n);
  };
  nghttp2_submit_response(session, stream, fields.data(), fields.size(), &body);
}

void Server::Serve() {
  const UniqueFd connection(accept(listener_.get(), nullptr, nullptr));
  if (!connection) return;
  if (!answer_.raw.empty()) {
    send(connection.get(), answer_.raw.data(), answer_.raw.size(), MSG_NOSIGNAL);
    return;
  }
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(
      callbacks,
      [](nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
         const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* self) {
        static_cast<Server*>(self)->headers_.emplace_back(
            std::string(reinterpret_cast<const char*>(name), name_size),
            std::string(reinterpret_cast<const char*>(value), value_size));
        return 0;
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* data,
                    std::size_t size, void* self) {
        static_cast<Server*>(self)->request_.append(reinterpret_cast<const char*>(data), size);
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      callbacks, [](nghttp2_session* session, const nghttp2_frame* frame, void* self) {
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
          static_cast<Server*>(self)->Reply(session, frame->hd.stream_id);
        }
        return 0;
      });
  nghttp2_session* session = nullptr;
  nghttp2_session_server_new(&session, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
  std::uint8_t buffer[16 * 1024];
  for (ssize_t n = 0; (n = recv(connection.get(), buffer, sizeof buffer, 0)) > 0;) {
    if (answer_.silent) continue;
    nghttp2_session_mem_recv(session, buffer, static_cast<std::size_t>(n));
    const std::uint8_t* data = nullptr;
    for (ssize_t size = 0; (size = nghttp2_session_mem_send(session, &data)) > 0;) {
      send(connection.get(), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    }
  }
  nghttp2_session_del(session);
}

GrpcReply CallTo(const Server& server, const std::string& request = "",
                 Deadline deadline = Soon()) {
  return GrpcUnixClient(server.path(), {{"containerd-namespace", "ours"}}, false)
      .Call("/a.Service/Method", request, deadline);
}

TEST(GrpcUnixTest, SendsTheMessageAndReturnsTheReply) {
  Server server({"", Framed("reply"), {{"grpc-status", "0"}}});
  const GrpcReply reply = CallTo(server, "request");
  EXPECT_EQ(reply.status, kGrpcOk);
  EXPECT_EQ(reply.body, "reply");
  EXPECT_EQ(server.request(), Framed("request"));
  const Fields& headers = server.headers();
  for (const auto& field : Fields{{":path", "/a.Service/Method"},
                                  {"content-type", "application/grpc"},
                                  {"te", "trailers"},
                                  {"containerd-namespace", "ours"}}) {
    EXPECT_NE(std::find(headers.begin(), headers.end(), field), headers.end()) << field.first;
  }
}

// More than one HTTP/2 frame, and more than the windows that a connection begins with.
TEST(GrpcUnixTest, LargeMessagesArriveWhole) {
  const std::string large(300'000, 'x');
  Server server({"", Framed(large), {{"grpc-status", "0"}}});
  EXPECT_EQ(CallTo(server, large).body, large);
  EXPECT_EQ(server.request(), Framed(large));
}

TEST(GrpcUnixTest, AStatusIsAResult) {
  Server server({"", "", {{"grpc-status", "5"}, {"grpc-message", "no task%3A \"x\" 100%"}}});
  const GrpcReply reply = CallTo(server);
  EXPECT_EQ(reply.status, kGrpcNotFound);
  EXPECT_EQ(reply.message, "no task: \"x\" 100%");
}

TEST(GrpcUnixTest, AnEmptyReplyIsAnEmptyMessage) {
  Server server({"", Framed(""), {{"grpc-status", "0"}}});
  EXPECT_EQ(CallTo(server).body, "");
}

TEST(GrpcUnixTest, NobodyListens) {
  const TemporaryDir dir;
  try {
    GrpcUnixClient(dir.path() / "none", {}, false).Call("/a.Service/Method", "", Soon());
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.system_error(), ENOENT);
  }
}

TEST(GrpcUnixTest, SilenceEndsWithTheDeadline) {
  Server server({"", "", {}, true});
  EXPECT_THROW(CallTo(server, "", Deadline::In(std::chrono::milliseconds(100))), TimedOut);
}

TEST(GrpcUnixTest, WhatIsNoGrpcIsAnError) {
  const std::string huge(5'000'000, 'x');
  for (const Answer& answer : {Answer{"HTTP/1.1 400 Bad Request\r\n\r\n", "", {}},
                               Answer{"", Framed("x"), {{"other", "0"}}},
                               Answer{"", Framed("x", '\1'), {{"grpc-status", "0"}}},
                               Answer{"", Framed("xy").substr(0, 6), {{"grpc-status", "0"}}},
                               Answer{"", "\1", {{"grpc-status", "0"}}},
                               Answer{"", Framed(huge), {{"grpc-status", "0"}}}}) {
    Server server(answer);
    EXPECT_THROW(CallTo(server), Error) << answer.raw;
  }
}

}  // namespace
}  // namespace hvbench
