// A subsystem's fixture, and how it gets its benchmarks. One file a subsystem; subsystems.def lists
// them; the kernels of any other subsystem (of someone else's agent) get the plain fixture.
#pragma once

#include <memory>
#include <string>

#include "fixtures/runtime_fixture.h"

namespace hvbench {

using FixtureFactory = std::unique_ptr<RuntimeFixture> (*)(CellName cell,
                                                           const RunSettings& settings);

// The factory of that subsystem's fixture.
FixtureFactory FixtureOf(const std::string& subsystem);

}  // namespace hvbench
