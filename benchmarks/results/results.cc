#include "benchmarks/results/results.h"

#include <algorithm>
#include <utility>

#include "fixtures/cell_name.h"
#include "fixtures/runtime_fixture.h"
#include "fixtures/saturate.h"

namespace hvbench {

double ValueOf(const Sample& sample, const std::string& quantity) {
  if (quantity == kRealTime) return sample.real_ns;
  if (quantity == kCpuTime) return sample.cpu_ns;
  const auto counter = sample.counters.find(quantity);
  return counter == sample.counters.end() ? 0 : counter->second;
}

std::vector<double> CellResult::RealNs() const {
  std::vector<double> values;
  for (const Sample& sample : samples) values.push_back(sample.real_ns);
  return values;
}

std::vector<double> CellResult::Values() const {
  std::vector<double> values;
  for (const Sample& sample : samples) values.push_back(sample.value);
  return values;
}

std::vector<double> CellResult::Values(const std::string& counter) const {
  std::vector<double> values;
  for (const Sample& sample : samples) {
    const auto found = sample.counters.find(counter);
    if (found != sample.counters.end()) values.push_back(found->second);
  }
  return values;
}

double OtherSideBusyPercent(const CellResult& cell) {
  std::vector<double> values = cell.Values(kPeerBusyCounter);
  if (values.empty()) values = cell.Values(kLoadBusyCounter);
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

CellResult& Results::CellOf(const std::string& kernel, const std::string& runtime) {
  const auto [found, added] = cells_.try_emplace({kernel, runtime});
  if (added) {
    if (std::find(kernels_.begin(), kernels_.end(), kernel) == kernels_.end()) {
      kernels_.push_back(kernel);
    }
    if (std::find(runtimes_.begin(), runtimes_.end(), runtime) == runtimes_.end()) {
      runtimes_.push_back(runtime);
    }
  }
  return found->second;
}

void Results::Add(const benchmark::BenchmarkReporter::Run& run) {
  if (run.run_type != benchmark::BenchmarkReporter::Run::RT_Iteration) return;
  const std::optional<CellName> name = ParseCellName(run.run_name.str());
  if (!name) return;
  const Outcome outcome = OutcomeOf(run);
  if (outcome != Outcome::kMeasured) {
    AddUnmeasured(name->WithoutRuntime(), name->runtime, outcome, std::string(ReasonOf(run)));
    return;
  }
  const auto iterations = static_cast<double>(run.iterations);
  Sample sample;
  sample.real_ns = run.real_accumulated_time * 1e9 / iterations;
  for (const auto& [key, counter] : run.counters) sample.counters[key] = counter.value;
  const auto guest_cpu = sample.counters.find(kGuestCpuCounter);
  sample.cpu_ns = guest_cpu != sample.counters.end() ? guest_cpu->second
                                                     : run.cpu_accumulated_time * 1e9 / iterations;
  AddSample(name->WithoutRuntime(), name->runtime, std::move(sample));
}

void Results::AddSample(const std::string& kernel, const std::string& runtime, Sample sample) {
  const auto take = [&](const char* counter) {
    const auto found = sample.counters.find(counter);
    if (found == sample.counters.end()) return std::int64_t{0};
    const auto value = Saturated(found->second);
    sample.counters.erase(found);
    return value;
  };
  sample.boot = take(kBootCounter);
  sample.block = take(kBlockCounter);
  take(kStartCounter);
  sample.value = ValueOf(sample, quantity_.name);
  if (sample.value <= 0 && quantity_.name != kRealTime) {  // ratios are of logarithms
    AddUnmeasured(kernel, runtime, Outcome::kSkipped, "it has no " + quantity_.name + " above 0");
    return;
  }
  CellOf(kernel, runtime).samples.push_back(std::move(sample));
}

void Results::AddUnmeasured(const std::string& kernel, const std::string& runtime, Outcome outcome,
                            std::string reason) {
  CellResult& cell = CellOf(kernel, runtime);
  cell.outcome = outcome;
  cell.reason = std::move(reason);
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
