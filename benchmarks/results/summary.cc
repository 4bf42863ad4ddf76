#include "benchmarks/results/summary.h"

#include <algorithm>

namespace hvbench {

std::string BaselineOf(const Results& results, const std::string& wanted) {
  const std::vector<std::string>& runtimes = results.runtimes();
  const bool there = std::find(runtimes.begin(), runtimes.end(), wanted) != runtimes.end();
  return there || runtimes.empty() ? wanted : runtimes.front();
}

Summary::Summary(const Results& results, std::string baseline)
    : results_(results), baseline_(std::move(baseline)), groups_(GroupsOf({&results})) {
  for (const Group& group : groups_) {
    for (const std::string& runtime : results.runtimes()) {
      for (const std::string& kernel : group.kernels) AddCell(group.name, kernel, runtime);
      AddMean(group, runtime);
    }
  }
  std::vector<Comparison*> cells;
  for (auto& [key, comparison] : comparisons_) cells.push_back(&comparison);
  JudgeTogether(cells);
  for (const Group& group : groups_) {
    for (const std::string& kernel : group.kernels) {
      for (const std::string& runtime : results.runtimes()) {
        const Comparison* comparison = Find(kernel, runtime);
        if (comparison != nullptr) ++by_group_[{group.name, runtime}].verdicts[comparison->verdict];
      }
    }
  }
  std::vector<Comparison*> means;
  for (auto& [key, summary] : by_group_) {
    if (summary.mean) means.push_back(&*summary.mean);
  }
  JudgeTogether(means);
}

const CellResult* Summary::Measured(const std::string& kernel, const std::string& runtime) const {
  const CellResult* cell = results_.Find(kernel, runtime);
  return cell != nullptr && cell->Measured() ? cell : nullptr;
}

void Summary::AddCell(const std::string& group, const std::string& kernel,
                      const std::string& runtime) {
  const CellResult* cell = results_.Find(kernel, runtime);
  if (cell == nullptr) return;
  GroupSummary& summary = by_group_[{group, runtime}];
  if (!cell->Measured()) {
    ++(cell->outcome == Outcome::kSkipped ? summary.skipped : summary.failed);
    return;
  }
  const CellResult* baseline = Measured(kernel, baseline_);
  if (runtime == baseline_ || baseline == nullptr) return;
  comparisons_[{kernel, runtime}] = Compare(*baseline, *cell, Pairing::kSameRun);
}

void Summary::AddMean(const Group& group, const std::string& runtime) {
  if (runtime == baseline_) return;
  MeanComparison mean;
  for (const std::string& kernel : group.common) {
    const CellResult* baseline = Measured(kernel, baseline_);
    const CellResult* cell = Measured(kernel, runtime);
    if (baseline != nullptr && cell != nullptr) {
      mean.Add(*baseline, *cell, Pairing::kSameRun);
    }
  }
  if (mean.count() == 0) return;
  GroupSummary& summary = by_group_[{group.name, runtime}];
  summary.mean = mean.Estimate();
  summary.range = mean.Range();
}

const Comparison* Summary::Find(const std::string& kernel, const std::string& runtime) const {
  const auto found = comparisons_.find({kernel, runtime});
  return found == comparisons_.end() ? nullptr : &found->second;
}

const GroupSummary* Summary::FindGroup(const std::string& group, const std::string& runtime) const {
  const auto found = by_group_.find({group, runtime});
  return found == by_group_.end() ? nullptr : &found->second;
}

}  // namespace hvbench
