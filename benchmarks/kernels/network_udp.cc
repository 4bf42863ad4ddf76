// UDP datagrams that arrive: as many as can without loss, and while they are sent at a given rate.
#include <algorithm>
#include <charconv>
#include <optional>

#include "benchmarks/kernels/support/datagrams.h"
#include "benchmarks/kernels/support/peer_server.h"
#include "benchmarks/kernels/support/tally.h"
#include "fixtures/agent/clock.h"

namespace hvbench::agent::kernels {
namespace {

using asio::ip::udp;

constexpr char kLossless[] = "lossless";

class Udp : public Kernel {
 public:
  explicit Udp(Path path = Path::kNetwork) : path_(path) {}

  void Prepare(const Context& context) override {
    clock_ = context.clock();
    const std::string& direction = path_ == Path::kLoopback ? "up" : context.Text("direction");
    if (direction != "up" && direction != "down") {
      throw std::invalid_argument("direction is neither up nor down: " + direction);
    }
    PeerHello hello;
    hello.operation =
        direction == "up" ? PeerOperation::kDatagramsIn : PeerOperation::kDatagramsOut;
    hello.message_bytes = static_cast<std::uint32_t>(context.Number("datagram_bytes"));
    hello.seed = context.seed();
    hello.interval_ns = IntervalNs(context.Text("rate"));
    operation_ = hello.operation;
    datagram_bytes_ = hello.message_bytes;
    peer_.emplace(context, path_, 1);
    control_.emplace(io_context_, peer_->address(), hello);
    udp::socket socket(io_context_, {control_->socket().local_endpoint().address(), 0});
    control_->SendCount(socket.local_endpoint().port());
    const auto peer_port = static_cast<std::uint16_t>(control_->ReceiveCount());
    socket.connect({peer_->address().address(), peer_port});
    datagrams_.emplace(std::move(socket), *control_, hello);
  }

  void Run(std::uint64_t iterations) override {
    const std::uint64_t begin = clock_.NowNs();
    control_->SendCount(iterations);
    if (operation_ == PeerOperation::kDatagramsIn) {
      sent_ = datagrams_->SendBurst(iterations);
    } else {
      datagrams_->ReceiveBurst(iterations);
      sent_ = control_->ReceiveCount();
    }
    elapsed_ns_ = clock_.NowNs() - begin;
    received_ = iterations;
    tally_.Record(iterations, std::min(iterations, sent_));
  }

  // The receiver has checked each of them; none may have come from nowhere.
  void Verify() override { tally_.Verify("datagrams that were sent"); }

  Work WorkPerIteration() const override { return {.items = 1, .bytes = datagram_bytes_}; }

  std::vector<protocol::Counter> Counters() const override {
    const auto sent = static_cast<double>(sent_);
    return {{"sent_per_second", sent * 1e9 / static_cast<double>(elapsed_ns_)},
            {"lost_percent", 100 - 100 * static_cast<double>(received_) / sent}};
  }

 private:
  static std::uint64_t IntervalNs(const std::string& rate) {
    if (rate == kLossless) return 0;
    std::uint64_t per_second = 0;
    const char* const end = rate.data() + rate.size();
    const auto [parsed, error] = std::from_chars(rate.data(), end, per_second);
    if (error != std::errc() || parsed != end || per_second == 0 || per_second > 1'000'000'000) {
      throw std::invalid_argument("the rate is neither lossless nor a number a second: " + rate);
    }
    return 1'000'000'000 / per_second;
  }

  const Path path_;
  GuestClock clock_;
  PeerOperation operation_ = PeerOperation::kDatagramsIn;
  std::uint64_t datagram_bytes_ = 0;
  std::uint64_t sent_ = 1;
  std::uint64_t received_ = 1;
  std::uint64_t elapsed_ns_ = 1;
  std::optional<PeerOfKernel> peer_;
  asio::io_context io_context_;
  std::optional<TcpConnection> control_;
  std::optional<Datagrams> datagrams_;
  Tally tally_;
};

class LoopbackUdp : public Udp {
 public:
  LoopbackUdp() : Udp(Path::kLoopback) {}
};

protocol::Params UdpCell(const char* direction, const char* bytes, const char* rate) {
  return {{"direction", direction}, {"datagram_bytes", bytes}, {"rate", rate}};
}

std::vector<protocol::ParameterSet> UdpParameterSets() {
  std::vector<protocol::ParameterSet> sets = {{kSmoke, UdpCell("up", "32", kLossless)},
                                              {kSmoke, UdpCell("up", "32", "10000")}};
  for (const char* direction : {"up", "down"}) {
    sets.push_back({kReal, UdpCell(direction, "64", kLossless)});
    sets.push_back({kReal, UdpCell(direction, "64", "5000")});
    sets.push_back({kFull, UdpCell(direction, "64", "20000")});
    sets.push_back({kFull, UdpCell(direction, "64", "100000")});
    sets.push_back({kFull, UdpCell(direction, "1400", kLossless)});
    sets.push_back({kFull, UdpCell(direction, "1400", "20000")});
  }
  return sets;
}

HVBENCH_KERNEL(Udp, .name = "network/udp",
               .summary =
                   "UDP datagrams that reach the peer (up) or come from it (down), as fast as they "
                   "are received or at a given rate",
               .unit = "datagram", .parameter_sets = UdpParameterSets(), .needs = protocol::kPeer);

HVBENCH_KERNEL(LoopbackUdp, .name = "network/loopback_udp",
               .summary = "UDP datagrams that arrive over the guest's own loopback device",
               .unit = "datagram",
               .parameter_sets = {{kReal, {{"datagram_bytes", "64"}, {"rate", kLossless}}},
                                  {kSmoke, {{"datagram_bytes", "32"}, {"rate", kLossless}}}});

}  // namespace
}  // namespace hvbench::agent::kernels
