// Network: the peer that kernels talk to runs before each of their cells, and whether it or the
// guest was the limit.
#include <algorithm>
#include <optional>
#include <utility>

#include "benchmarks/subsystems/subsystem.h"

namespace hvbench {
namespace {

class NetworkFixture : public RuntimeFixture {
 public:
  using RuntimeFixture::RuntimeFixture;

 protected:
  void Begin() override {
    if (NeedsPeer(settings().kernels, cell().kernel)) {  // not for loopback
      if (settings().netlab == nullptr) throw CannotRunHere(settings().netlab_problem);
      settings().netlab->EnsurePeer();
    }
    RuntimeFixture::Begin();
  }

  void BeforeRun(LiveGuest&) override { before_ = PeerCpu(); }

  void AfterRun() override {
    const std::optional<std::chrono::nanoseconds> after = PeerCpu();
    used_.reset();
    if (before_ && after) used_ = *after - *before_;
  }

  void AddCounters(const RunResult& result, benchmark::State& state) const override {
    RuntimeFixture::AddCounters(result, state);
    if (!used_) return;
    const auto used_ns = static_cast<double>(used_->count());
    state.counters["peer_cpu_ns"] = used_ns / static_cast<double>(result.iterations);
    state.counters[kPeerBusyCounter] =
        100 * used_ns / (static_cast<double>(result.host_elapsed_ns) * PeerThreads());
  }

  // The peer serves all guests: what one of them did to it must not reach the next cell.
  std::string AfterFailure() override {
    if (settings().netlab == nullptr) return "";
    const std::string death = settings().netlab->StopPeer();
    return death.empty() ? "" : "; the network peer " + death;
  }

 private:
  std::optional<std::chrono::nanoseconds> PeerCpu() const {
    const bool has_peer = NeedsPeer(settings().kernels, cell().kernel);
    return has_peer ? settings().netlab->PeerCpu() : std::nullopt;
  }

  // How many of its threads can run at a time: one serves each connection.
  double PeerThreads() const {
    std::size_t connections = 1;
    for (const auto& [key, value] : cell().params) {
      if (key == "streams") connections *= std::stoul(value);
      if (key == "direction" && value == "both") connections *= 2;
    }
    const std::size_t cpus = std::max<std::size_t>(settings().netlab->peer_cpu_count(), 1);
    return static_cast<double>(std::min(connections, cpus));
  }

  std::optional<std::chrono::nanoseconds> before_;
  std::optional<std::chrono::nanoseconds> used_;  // during the last run
};

}  // namespace

std::unique_ptr<RuntimeFixture> MakeNetworkFixture(CellName cell, const RunSettings& settings) {
  return std::make_unique<NetworkFixture>(std::move(cell), settings);
}

}  // namespace hvbench
