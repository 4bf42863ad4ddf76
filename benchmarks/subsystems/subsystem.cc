#include "benchmarks/subsystems/subsystem.h"

#include <algorithm>
#include <utility>

#include "benchmarks/subsystems/application_fixture.h"

namespace hvbench {

#define HVBENCH_SUBSYSTEM(name, make) \
  std::unique_ptr<RuntimeFixture> make(CellName, const RunSettings&);
#include "benchmarks/subsystems/subsystems.def"
#undef HVBENCH_SUBSYSTEM
#define HVBENCH_HOST_CELLS(list) std::vector<HostCell> list(const Kernels&);
#include "benchmarks/subsystems/subsystems.def"
#undef HVBENCH_HOST_CELLS

namespace {

std::vector<HostCell> AllHostCells(const Kernels& kernels) {
  std::vector<HostCell> cells;
#define HVBENCH_HOST_CELLS(list) \
  for (HostCell & cell : list(kernels)) cells.push_back(std::move(cell));
#include "benchmarks/subsystems/subsystems.def"
#undef HVBENCH_HOST_CELLS
  return cells;
}

std::unique_ptr<RuntimeFixture> MakeCommonFixture(CellName cell, const RunSettings& settings) {
  const auto kernel = settings.kernels.find(cell.kernel);
  if (kernel != settings.kernels.end() && !kernel->second.server.empty()) {
    return std::make_unique<ApplicationFixture>(std::move(cell), settings);
  }
  return std::make_unique<RuntimeFixture>(std::move(cell), settings);
}

}  // namespace

FixtureFactory FixtureOf(const std::string& subsystem) {
#define HVBENCH_SUBSYSTEM(name, make) \
  if (subsystem == (name)) return make;
#include "benchmarks/subsystems/subsystems.def"
#undef HVBENCH_SUBSYSTEM
  return MakeCommonFixture;
}

std::vector<CellName> MakeHostCells(const Kernels& kernels, protocol::Profile profile,
                                    const std::vector<std::string>& runtimes) {
  std::vector<CellName> cells;
  for (const HostCell& cell : AllHostCells(kernels)) {
    for (const std::string& runtime : runtimes) {
      const std::uint8_t profiles = NamesEmulated(runtime) ? cell.emulated_profiles : cell.profiles;
      if ((profiles & profile) != 0) cells.push_back({cell.kernel, cell.params, runtime});
    }
  }
  return cells;
}

bool NeedsPeer(const Kernels& kernels, const std::string& kernel) {
  const auto found = kernels.find(kernel);
  if (found != kernels.end()) return (found->second.needs & protocol::kPeer) != 0;
  const std::vector<HostCell> cells = AllHostCells(kernels);
  return std::any_of(cells.begin(), cells.end(), [&](const HostCell& cell) {
    return cell.kernel == kernel && cell.needs_peer;
  });
}

}  // namespace hvbench
