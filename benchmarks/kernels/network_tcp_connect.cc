// TCP connections: made, used for one request and its answer, and closed, one after another.
#include <optional>

#include "benchmarks/kernels/support/latency_histogram.h"
#include "benchmarks/kernels/support/peer_server.h"
#include "benchmarks/kernels/support/tally.h"
#include "fixtures/agent/clock.h"

namespace hvbench::agent::kernels {
namespace {

class TcpConnect : public Kernel {
 public:
  explicit TcpConnect(Path path = Path::kNetwork) : path_(path) {}

  void Prepare(const Context& context) override {
    clock_ = context.clock();
    hello_.operation = PeerOperation::kClose;
    hello_.answer_bytes = 8;
    hello_.seed = context.seed();
    // The next connection may come before the peer's thread is done with the last.
    peer_.emplace(context, path_, 2);
  }

  // The peer closes first, as servers of HTTP/1.0 did: the guest's ports are free again at once,
  // and no batch can run out of them.
  void Run(std::uint64_t iterations) override {
    latencies_.Reset();
    std::vector<std::byte> answer(hello_.answer_bytes);
    std::uint64_t begin = clock_.NowNs();
    tally_.Run(iterations, [&] {
      ++hello_.seed;
      bool right = false;
      {
        TcpConnection connection(io_context_, peer_->address(), hello_);
        connection.Receive(answer);
        right = connection.AwaitEnd() && HasMark(answer, hello_.seed);
      }
      const std::uint64_t end = clock_.NowNs();
      latencies_.Record(end - begin);
      begin = end;
      return right;
    });
  }

  void Verify() override { tally_.Verify("answers on connections"); }

  std::vector<protocol::Counter> Counters() const override { return latencies_.Counters(); }

 private:
  const Path path_;
  GuestClock clock_;
  PeerHello hello_;
  std::optional<PeerOfKernel> peer_;
  asio::io_context io_context_;
  LatencyHistogram latencies_;
  Tally tally_;
};

class LoopbackTcpConnect : public TcpConnect {
 public:
  LoopbackTcpConnect() : TcpConnect(Path::kLoopback) {}
};

HVBENCH_KERNEL(TcpConnect, .name = "network/tcp_connect",
               .summary = "A TCP connection to the peer with one request and its answer",
               .unit = "connection", .parameter_sets = {{kSmoke | kReal, {}}},
               .needs = protocol::kPeer);

HVBENCH_KERNEL(LoopbackTcpConnect, .name = "network/loopback_tcp_connect",
               .summary = "A TCP connection over loopback with one request and its answer",
               .unit = "connection", .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels
