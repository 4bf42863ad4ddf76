#include "benchmarks/results/summary.h"

#include <algorithm>

namespace hvbench {
namespace {

void Count(Verdict verdict, SubsystemSummary& summary) {
  switch (verdict) {
    case Verdict::kHigher:
      ++summary.higher;
      break;
    case Verdict::kLower:
      ++summary.lower;
      break;
    case Verdict::kNoDifference:
      ++summary.no_difference;
      break;
    case Verdict::kTooNoisy:
      ++summary.too_noisy;
      break;
  }
}

}  // namespace

std::string SubsystemOf(const std::string& kernel) { return kernel.substr(0, kernel.find('/')); }

std::string BaselineOf(const Results& results, const std::string& wanted) {
  const std::vector<std::string>& runtimes = results.runtimes();
  const bool there = std::find(runtimes.begin(), runtimes.end(), wanted) != runtimes.end();
  return there || runtimes.empty() ? wanted : runtimes.front();
}

Summary::Summary(const Results& results, std::string baseline)
    : results_(results), baseline_(std::move(baseline)) {
  for (const std::string& kernel : results.kernels()) {
    const std::string subsystem = SubsystemOf(kernel);
    if (std::find(subsystems_.begin(), subsystems_.end(), subsystem) == subsystems_.end()) {
      subsystems_.push_back(subsystem);
    }
    for (const std::string& runtime : results.runtimes()) AddCell(kernel, runtime);
  }
}

void Summary::AddCell(const std::string& kernel, const std::string& runtime) {
  const CellResult* cell = results_.Find(kernel, runtime);
  if (cell == nullptr) return;
  SubsystemSummary& subsystem = by_subsystem_[{SubsystemOf(kernel), runtime}];
  if (!cell->Measured()) {
    ++(cell->outcome == Outcome::kSkipped ? subsystem.skipped : subsystem.failed);
    return;
  }
  const CellResult* baseline = results_.Find(kernel, baseline_);
  if (runtime == baseline_ || baseline == nullptr || !baseline->Measured()) return;
  Comparison comparison = Compare(*baseline, *cell, Pairing::kSameRun);
  Count(comparison.verdict, subsystem);
  subsystem.mean.Add(comparison.estimate);
  comparison.estimate.replicates = {};  // 16 KiB each, and used
  comparisons_[{kernel, runtime}] = std::move(comparison);
}

const Comparison* Summary::Find(const std::string& kernel, const std::string& runtime) const {
  const auto found = comparisons_.find({kernel, runtime});
  return found == comparisons_.end() ? nullptr : &found->second;
}

const SubsystemSummary* Summary::FindSubsystem(const std::string& subsystem,
                                               const std::string& runtime) const {
  const auto found = by_subsystem_.find({subsystem, runtime});
  return found == by_subsystem_.end() ? nullptr : &found->second;
}

}  // namespace hvbench
