#include "benchmarks/subsystems/subsystem.h"

#include <utility>

namespace hvbench {

#define HVBENCH_SUBSYSTEM(name, make) \
  std::unique_ptr<RuntimeFixture> make(CellName, const RunSettings&);
#include "benchmarks/subsystems/subsystems.def"
#undef HVBENCH_SUBSYSTEM

namespace {

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

}  // namespace hvbench
