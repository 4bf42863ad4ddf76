// A subsystem's fixture, and how it gets its benchmarks. One file a subsystem; subsystems.def lists
// them; the kernels of any other subsystem (of someone else's agent) get the plain fixture.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fixtures/runtime_fixture.h"

namespace hvbench {

using FixtureFactory = std::unique_ptr<RuntimeFixture> (*)(CellName cell,
                                                           const RunSettings& settings);

// The factory of that subsystem's fixture.
FixtureFactory FixtureOf(const std::string& subsystem);

// A cell that its subsystem measures from the host: no kernel in the agent's manifest stands for
// it.
struct HostCell {
  std::string kernel;  // "<subsystem>/<kernel>"
  protocol::Params params;
  std::uint8_t profiles = 0;           // protocol::Profile bits
  std::uint8_t emulated_profiles = 0;  // the same for emulated VMs, where all takes much longer
  bool needs_peer = false;             // the suite's own network, with what stands there
};

// The cells of all subsystems that have such, ordered as MakeCells orders the agent's.
std::vector<CellName> MakeHostCells(protocol::Profile profile,
                                    const std::vector<std::string>& runtimes);

// The kernels of those that need a peer.
std::set<std::string> HostKernelsOfPeer();

}  // namespace hvbench
