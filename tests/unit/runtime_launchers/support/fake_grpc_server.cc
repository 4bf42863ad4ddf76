#include "tests/unit/runtime_launchers/support/fake_grpc_server.h"

#include <nghttp2/nghttp2.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>

namespace hvbench {
namespace {

nghttp2_nv FieldOf(const std::pair<std::string, std::string>& field) {
  const auto bytes = [](const std::string& text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  return {bytes(field.first), bytes(field.second), field.first.size(), field.second.size(),
          NGHTTP2_NV_FLAG_NONE};
}

// One connection's HTTP/2 session.
class GrpcSession {
 public:
  GrpcSession(const FakeGrpcAnswer& answer, std::function<void(FakeGrpcCall)> note);
  ~GrpcSession() { nghttp2_session_del(session_); }
  GrpcSession(const GrpcSession&) = delete;
  GrpcSession& operator=(const GrpcSession&) = delete;

  void Take(const std::uint8_t* data, std::size_t size, int connection);

 private:
  void Reply(std::int32_t stream);

  const FakeGrpcAnswer& answer_;
  std::function<void(FakeGrpcCall)> note_;
  nghttp2_session* session_ = nullptr;
  FakeGrpcCall call_;
  std::string body_;
  std::size_t sent_ = 0;
};

GrpcSession::GrpcSession(const FakeGrpcAnswer& answer, std::function<void(FakeGrpcCall)> note)
    : answer_(answer), note_(std::move(note)) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(
      callbacks,
      [](nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
         const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* self) {
        static_cast<GrpcSession*>(self)->call_.headers.emplace_back(
            std::string(reinterpret_cast<const char*>(name), name_size),
            std::string(reinterpret_cast<const char*>(value), value_size));
        return 0;
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* data,
                    std::size_t size, void* self) {
        static_cast<GrpcSession*>(self)->call_.body.append(reinterpret_cast<const char*>(data),
                                                           size);
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
        // The same bit of other frames has other meanings.
        const bool is_message = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
        if (is_message && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
          static_cast<GrpcSession*>(self)->Reply(frame->hd.stream_id);
        }
        return 0;
      });
  nghttp2_session_server_new(&session_, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
}

void GrpcSession::Reply(std::int32_t stream) {
  note_(call_);
  if (answer_.silent) return;
  body_ = answer_.act ? GrpcFramed(answer_.act()) : answer_.body;
  const FakeGrpcFields headers = {{":status", "200"}, {"content-type", "application/grpc"}};
  std::vector<nghttp2_nv> fields;
  for (const auto& field : headers) fields.push_back(FieldOf(field));
  if (body_.empty()) {  // "trailers only"
    for (const auto& field : answer_.trailers) fields.push_back(FieldOf(field));
    nghttp2_submit_response(session_, stream, fields.data(), fields.size(), nullptr);
    return;
  }
  nghttp2_data_provider body = {};
  body.source.ptr = this;
  body.read_callback = [](nghttp2_session* in, std::int32_t id, std::uint8_t* buffer,
                          std::size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                          void*) -> ssize_t {
    auto& self = *static_cast<GrpcSession*>(source->ptr);
    const std::size_t n = self.body_.copy(reinterpret_cast<char*>(buffer), size, self.sent_);
    self.sent_ += n;
    if (self.sent_ == self.body_.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      std::vector<nghttp2_nv> trailers;
      for (const auto& field : self.answer_.trailers) trailers.push_back(FieldOf(field));
      nghttp2_submit_trailer(in, id, trailers.data(), trailers.size());
    }
    return static_cast<ssize_t>(n);
  };
  nghttp2_submit_response(session_, stream, fields.data(), fields.size(), &body);
}

void GrpcSession::Take(const std::uint8_t* data, std::size_t size, int connection) {
  nghttp2_session_mem_recv(session_, data, size);
  const std::uint8_t* out = nullptr;
  for (ssize_t n = 0; (n = nghttp2_session_mem_send(session_, &out)) > 0;) {
    send(connection, out, static_cast<std::size_t>(n), MSG_NOSIGNAL);
  }
}

}  // namespace

std::string GrpcFramed(const std::string& message, char compressed) {
  std::string framed(1, compressed);
  for (const int shift : {24, 16, 8, 0}) {
    framed += static_cast<char>(message.size() >> shift & 0xff);
  }
  return framed + message;
}

FakeGrpcAnswer GrpcReplyOf(const std::string& message) {
  return {"", GrpcFramed(message), {{"grpc-status", "0"}}};
}

FakeGrpcAnswer GrpcReplyBy(std::function<std::string()> act) {
  FakeGrpcAnswer answer = GrpcReplyOf("");
  answer.act = std::move(act);
  return answer;
}

FakeGrpcAnswer GrpcRefusal(int status, const std::string& message) {
  return {"", "", {{"grpc-status", std::to_string(status)}, {"grpc-message", message}}};
}

FakeGrpcAnswer GrpcSilence() { return {"", "", {}, /*silent=*/true}; }

std::string FakeGrpcCall::Header(const std::string& name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto& field) { return field.first == name; });
  return found == headers.end() ? "" : found->second;
}

FakeGrpcServer::FakeGrpcServer(std::vector<FakeGrpcAnswer> answers) : answers_(std::move(answers)) {
  thread_ = std::thread([this] { Serve(); });
}

FakeGrpcServer::~FakeGrpcServer() {
  socket_.Close();
  thread_.join();
}

std::vector<FakeGrpcCall> FakeGrpcServer::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::vector<std::string> FakeGrpcServer::methods() const {
  std::vector<std::string> methods;
  for (const FakeGrpcCall& call : calls()) {
    methods.push_back(call.method().substr(call.method().rfind('/') + 1));
  }
  return methods;
}

void FakeGrpcServer::Serve() {
  const auto note = [this](FakeGrpcCall call) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
  };
  for (std::size_t next = 0; next < answers_.size();) {
    const UniqueFd connection = socket_.Accept();
    if (!connection) return;
    std::uint8_t buffer[16 * 1024];
    ssize_t n = recv(connection.get(), buffer, sizeof buffer, 0);
    if (n <= 0) continue;
    const FakeGrpcAnswer& answer = answers_[next++];
    // Before the client has its answer, and may call again.
    if (next == answers_.size()) socket_.Close();
    if (!answer.raw.empty()) {
      send(connection.get(), answer.raw.data(), answer.raw.size(), MSG_NOSIGNAL);
      continue;
    }
    GrpcSession session(answer, note);
    while (n > 0) {
      session.Take(buffer, static_cast<std::size_t>(n), connection.get());
      n = recv(connection.get(), buffer, sizeof buffer, 0);
    }
  }
}

}  // namespace hvbench
