// TCP throughput: streams of large messages to the peer, from it, or both at once.
#include <exception>
#include <optional>

#include "benchmarks/kernels/support/crew.h"
#include "benchmarks/kernels/support/peer_server.h"
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

// One direction of one connection.
class Stream {
 public:
  Stream(asio::io_context& context, const asio::ip::tcp::endpoint& peer, const PeerHello& hello)
      : operation_(hello.operation),
        connection_(context, peer, hello),
        message_(hello.message_bytes, hello.seed) {}

  // Ends when the other side has all messages.
  void Transfer(std::uint64_t count) {
    right_ = 0;
    connection_.SendCount(count);
    if (operation_ == PeerOperation::kReceive) {
      for (std::uint64_t i = 0; i < count; ++i) {
        message_.Number(i);
        connection_.Send(message_.bytes());
      }
      right_ = connection_.ReceiveCount();
    } else {
      for (std::uint64_t i = 0; i < count; ++i) {
        connection_.Receive(message_.bytes());
        right_ += message_.IsNumber(i) ? 1u : 0u;
      }
    }
  }

  // How many messages of the last transfer were right, as the side that received them counted.
  std::uint64_t right_messages() const { return right_; }

 private:
  PeerOperation operation_;
  TcpConnection connection_;
  StreamMessage message_;
  std::uint64_t right_ = 0;
};

class TcpStream : public Kernel {
 public:
  explicit TcpStream(Path path = Path::kNetwork) : path_(path) {}

  void Prepare(const Context& context) override {
    const auto directions = DirectionsOf(context);
    const std::uint64_t streams = context.Number("streams");
    if (streams < 1 || streams > kMostStreams)
      throw std::invalid_argument("streams is not 1 to 16");
    const std::size_t connections = streams * directions.size();
    peer_.emplace(context, path_, static_cast<unsigned>(connections));
    PeerHello hello;
    message_bytes_ = context.Number("message_kib") * 1024;
    hello.message_bytes = static_cast<std::uint32_t>(message_bytes_);
    for (const PeerOperation operation : directions) {
      hello.operation = operation;
      for (std::uint64_t i = 0; i < streams; ++i) {
        hello.seed = context.seed() + streams_.size();
        streams_.push_back(std::make_unique<Stream>(io_context_, peer_->address(), hello));
      }
    }
    failures_.resize(connections);
    crew_.emplace(connections, [this](std::size_t member, std::uint64_t iterations) {
      try {
        streams_[member]->Transfer(iterations);
      } catch (...) {
        failures_[member] = std::current_exception();
      }
    });
  }

  void Run(std::uint64_t iterations) override {
    crew_->Release(iterations);
    crew_->Await();
    std::uint64_t right = 0;
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      if (failures_[i]) std::rethrow_exception(failures_[i]);
      right += streams_[i]->right_messages();
    }
    tally_.Record(iterations * streams_.size(), right);
  }

  void Verify() override { tally_.Verify("messages of the streams"); }

  Work WorkPerIteration() const override {
    return {.items = streams_.size(), .bytes = streams_.size() * message_bytes_};
  }

 private:
  static constexpr std::uint64_t kMostStreams = 16;

  // On loopback there is but one direction: both ends are the guest's.
  std::vector<PeerOperation> DirectionsOf(const Context& context) const {
    if (path_ == Path::kLoopback) return {PeerOperation::kReceive};
    const std::string& direction = context.Text("direction");
    if (direction == "up") return {PeerOperation::kReceive};
    if (direction == "down") return {PeerOperation::kSend};
    if (direction == "both") return {PeerOperation::kReceive, PeerOperation::kSend};
    throw std::invalid_argument("direction is none of up, down, both: " + direction);
  }

  const Path path_;
  std::uint64_t message_bytes_ = 0;
  std::optional<PeerOfKernel> peer_;
  asio::io_context io_context_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<std::exception_ptr> failures_;
  std::optional<Crew> crew_;
  Tally tally_;
};

class LoopbackTcpStream : public TcpStream {
 public:
  LoopbackTcpStream() : TcpStream(Path::kLoopback) {}
};

HVBENCH_KERNEL(
    TcpStream, .name = "network/tcp_stream",
    .summary = "TCP streams to the peer (up), from it (down), or as many in both directions",
    .unit = "message",
    .parameter_sets = {{kReal, {{"direction", "up"}, {"streams", "1"}, {"message_kib", "128"}}},
                       {kReal, {{"direction", "down"}, {"streams", "1"}, {"message_kib", "128"}}},
                       {kReal, {{"direction", "both"}, {"streams", "1"}, {"message_kib", "128"}}},
                       {kReal, {{"direction", "up"}, {"streams", "4"}, {"message_kib", "128"}}},
                       {kReal, {{"direction", "down"}, {"streams", "4"}, {"message_kib", "128"}}},
                       {kFull, {{"direction", "both"}, {"streams", "4"}, {"message_kib", "128"}}},
                       {kFull, {{"direction", "up"}, {"streams", "16"}, {"message_kib", "128"}}},
                       {kFull, {{"direction", "down"}, {"streams", "16"}, {"message_kib", "128"}}},
                       {kSmoke, {{"direction", "both"}, {"streams", "2"}, {"message_kib", "4"}}}},
    .needs = protocol::kPeer);

HVBENCH_KERNEL(LoopbackTcpStream, .name = "network/loopback_tcp_stream",
               .summary = "TCP streams over the guest's own loopback device", .unit = "message",
               .parameter_sets = {{kReal, {{"streams", "1"}, {"message_kib", "128"}}},
                                  {kFull, {{"streams", "4"}, {"message_kib", "128"}}},
                                  {kSmoke, {{"streams", "2"}, {"message_kib", "4"}}}});

}  // namespace
}  // namespace hvbench::agent::kernels
