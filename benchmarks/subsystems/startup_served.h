// From a guest's launch to the first request that an application in it has served.
#pragma once

#include <memory>
#include <vector>

#include "benchmarks/subsystems/subsystem.h"

namespace hvbench {

// The cells, one for each load that declares protocol::kFirstResponse.
std::vector<HostCell> ServedCells(const Kernels& kernels);

// The fixture of such a cell; null for any other.
std::unique_ptr<RuntimeFixture> MakeServedFixture(const CellName& cell,
                                                  const RunSettings& settings);

}  // namespace hvbench
