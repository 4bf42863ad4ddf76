#include "benchmarks/subsystems/subsystem.h"

#include <utility>

namespace hvbench {

#define HVBENCH_SUBSYSTEM(name, make) \
  std::unique_ptr<RuntimeFixture> make(CellName, const RunSettings&);
#include "benchmarks/subsystems/subsystems.def"
#undef HVBENCH_SUBSYSTEM
#define HVBENCH_HOST_CELLS(list) const std::vector<HostCell>& list();
#include "benchmarks/subsystems/subsystems.def"
#undef HVBENCH_HOST_CELLS

namespace {

std::vector<HostCell> AllHostCells() {
  std::vector<HostCell> cells;
#define HVBENCH_HOST_CELLS(list) cells.insert(cells.end(), list().begin(), list().end());
#include "benchmarks/subsystems/subsystems.def"
#undef HVBENCH_HOST_CELLS
  return cells;
}

std::unique_ptr<RuntimeFixture> MakePlainFixture(CellName cell, const RunSettings& settings) {
  return std::make_unique<RuntimeFixture>(std::move(cell), settings);
}

}  // namespace

FixtureFactory FixtureOf(const std::string& subsystem) {
#define HVBENCH_SUBSYSTEM(name, make) \
  if (subsystem == (name)) return make;
#include "benchmarks/subsystems/subsystems.def"
#undef HVBENCH_SUBSYSTEM
  return MakePlainFixture;
}

std::vector<CellName> MakeHostCells(protocol::Profile profile,
                                    const std::vector<std::string>& runtimes) {
  std::vector<CellName> cells;
  for (const HostCell& cell : AllHostCells()) {
    for (const std::string& runtime : runtimes) {
      const std::uint8_t profiles = NamesEmulated(runtime) ? cell.emulated_profiles : cell.profiles;
      if ((profiles & profile) != 0) cells.push_back({cell.kernel, cell.params, runtime});
    }
  }
  return cells;
}

std::set<std::string> HostKernelsOfPeer() {
  std::set<std::string> kernels;
  for (const HostCell& cell : AllHostCells()) {
    if (cell.needs_peer) kernels.insert(cell.kernel);
  }
  return kernels;
}

}  // namespace hvbench
