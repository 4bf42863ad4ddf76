// A subsystem's fixture, and how it gets its benchmarks. One file a subsystem; subsystems.def lists
// them; the kernels of any other subsystem get a fixture by what they say of themselves: an
// application's load, or the plain one.
#pragma once

#include <cstdint>
#include <memory>
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
std::vector<CellName> MakeHostCells(const Kernels& kernels, protocol::Profile profile,
                                    const std::vector<std::string>& runtimes);

// Whether cells of that kernel, the host's own included, need the suite's network.
bool NeedsPeer(const Kernels& kernels, const std::string& kernel);

}  // namespace hvbench
