// Network: the peer that kernels talk to runs before each of their cells.
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

  // The peer serves all guests: what one of them did to it must not reach the next cell.
  std::string AfterFailure() override {
    if (settings().netlab == nullptr) return "";
    const std::string death = settings().netlab->StopPeer();
    return death.empty() ? "" : "; the network peer " + death;
  }
};

}  // namespace

std::unique_ptr<RuntimeFixture> MakeNetworkFixture(CellName cell, const RunSettings& settings) {
  return std::make_unique<NetworkFixture>(std::move(cell), settings);
}

}  // namespace hvbench
