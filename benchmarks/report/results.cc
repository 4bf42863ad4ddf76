#include "benchmarks/report/results.h"

#include <algorithm>

#include "fixtures/cell_name.h"
#include "fixtures/runtime_fixture.h"

namespace hvbench {
namespace {

void AddOnce(std::vector<std::string>& values, const std::string& value) {
  if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
}

}  // namespace

void Results::Add(const benchmark::BenchmarkReporter::Run& run) {
  if (run.run_type != benchmark::BenchmarkReporter::Run::RT_Iteration) return;
  const std::optional<CellName> name = ParseCellName(run.run_name.str());
  if (!name) return;
  AddOnce(kernels_, name->WithoutRuntime());
  AddOnce(runtimes_, name->runtime);
  CellResult& cell = cells_[{name->WithoutRuntime(), name->runtime}];
  const Outcome outcome = OutcomeOf(run);
  if (outcome == Outcome::kMeasured) {
    cell.real_ns.push_back(run.real_accumulated_time * 1e9 / static_cast<double>(run.iterations));
    const auto host_io = run.counters.find(kHostIoCounter);
    if (host_io != run.counters.end()) cell.host_io_ratio.push_back(host_io->second.value);
  } else {
    cell.outcome = outcome;
    cell.reason = ReasonOf(run);
  }
}

const CellResult* Results::Find(const std::string& kernel, const std::string& runtime) const {
  const auto found = cells_.find({kernel, runtime});
  return found == cells_.end() ? nullptr : &found->second;
}

int Results::Count(Outcome outcome) const {
  return static_cast<int>(std::count_if(cells_.begin(), cells_.end(), [&](const auto& cell) {
    return cell.second.outcome == outcome;
  }));
}

}  // namespace hvbench
