// CPU: how many processors the guest really used tells whether a scaling cell could scale.
#include <utility>

#include "benchmarks/subsystems/subsystem.h"

namespace hvbench {
namespace {

class CpuFixture : public RuntimeFixture {
 public:
  using RuntimeFixture::RuntimeFixture;

 protected:
  void AddCounters(const RunResult& result, benchmark::State& state) const override {
    RuntimeFixture::AddCounters(result, state);
    state.counters["cpus_used"] =
        static_cast<double>(result.run.cpu_ns) / static_cast<double>(result.run.elapsed_ns);
  }
};

}  // namespace

std::unique_ptr<RuntimeFixture> MakeCpuFixture(CellName cell, const RunSettings& settings) {
  return std::make_unique<CpuFixture>(std::move(cell), settings);
}

}  // namespace hvbench
