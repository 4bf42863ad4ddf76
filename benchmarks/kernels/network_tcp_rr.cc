// TCP round trips: one request at a time, each answered by the peer.
#include <optional>

#include "benchmarks/kernels/support/latency_histogram.h"
#include "benchmarks/kernels/support/peer_server.h"
#include "benchmarks/kernels/support/tally.h"
#include "fixtures/agent/clock.h"

namespace hvbench::agent::kernels {
namespace {

class TcpRoundTrip : public Kernel {
 public:
  explicit TcpRoundTrip(Path path = Path::kNetwork) : path_(path) {}

  void Prepare(const Context& context) override {
    clock_ = context.clock();
    const std::uint64_t request_bytes = context.Number("request_bytes");
    const std::uint64_t response_bytes = context.Number("response_bytes");
    hello_.operation = PeerOperation::kAnswer;
    hello_.message_bytes = static_cast<std::uint32_t>(request_bytes);
    hello_.answer_bytes = static_cast<std::uint32_t>(response_bytes);
    hello_.seed = context.seed();
    request_.resize(hello_.message_bytes);
    response_.resize(hello_.answer_bytes);
    peer_.emplace(context, path_, 1);
    connection_.emplace(io_context_, peer_->address(), hello_);
  }

  // One read of the clock a round trip: the end of one is the beginning of the next.
  void Run(std::uint64_t iterations) override {
    latencies_.Reset();
    std::uint64_t begin = clock_.NowNs();
    tally_.Run(iterations, [&] {
      PutMark(request_, hello_.seed + number_);
      connection_->Send(request_);
      connection_->Receive(response_);
      const std::uint64_t end = clock_.NowNs();
      latencies_.Record(end - begin);
      begin = end;
      return HasMark(response_, AnswerTo(hello_.seed + number_++));
    });
  }

  void Verify() override { tally_.Verify("answers of the peer"); }

  std::vector<protocol::Counter> Counters() const override { return latencies_.Counters(); }

 private:
  const Path path_;
  GuestClock clock_;
  PeerHello hello_;
  std::vector<std::byte> request_;
  std::vector<std::byte> response_;
  std::uint64_t number_ = 0;  // of the next request on this connection
  std::optional<PeerOfKernel> peer_;
  asio::io_context io_context_;
  std::optional<TcpConnection> connection_;
  LatencyHistogram latencies_;
  Tally tally_;
};

class LoopbackTcpRoundTrip : public TcpRoundTrip {
 public:
  LoopbackTcpRoundTrip() : TcpRoundTrip(Path::kLoopback) {}
};

HVBENCH_KERNEL(TcpRoundTrip, .name = "network/tcp_rr",
               .summary = "A request to the peer and its response, one at a time",
               .unit = "round_trip",
               .parameter_sets = {{kSmoke | kReal,
                                   {{"request_bytes", "1"}, {"response_bytes", "1"}}},
                                  {kReal, {{"request_bytes", "100"}, {"response_bytes", "200"}}}},
               .needs = protocol::kPeer);

HVBENCH_KERNEL(LoopbackTcpRoundTrip, .name = "network/loopback_tcp_rr",
               .summary = "A request and its response over the guest's own loopback device",
               .unit = "round_trip",
               .parameter_sets = {
                   {kSmoke | kReal, {{"request_bytes", "1"}, {"response_bytes", "1"}}},
                   {kFull, {{"request_bytes", "100"}, {"response_bytes", "200"}}}});

}  // namespace
}  // namespace hvbench::agent::kernels
