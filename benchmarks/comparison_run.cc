#include "benchmarks/comparison_run.h"

#include <algorithm>
#include <utility>

#include "benchmarks/results/comparison.h"
#include "runtime_launchers/support/interrupt.h"

namespace hvbench {

ComparisonRun::ComparisonRun(const std::vector<CellName>& cells, ComparisonPlan plan,
                             GuestPool& pool, std::function<void(const std::string&)> say)
    : plan_(std::move(plan)), pool_(pool), say_(std::move(say)), visits_(cells, plan_.quantity) {
  for (const CellName& cell : cells) {
    const std::string name = cell.WithoutRuntime();
    if (kernels_.empty() || kernels_.back().name != name) kernels_.push_back({name, {}});
    kernels_.back().cells.push_back(cell);
  }
}

void ComparisonRun::Resume(std::map<std::string, std::vector<Visits::Row>> rows, int blocks,
                           std::chrono::duration<double> elapsed) {
  visits_.Resume(std::move(rows));
  blocks_ = blocks;
  elapsed_before_ = elapsed;
}

void ComparisonRun::RunBlock(const std::vector<Kernel*>& active) {
  ++blocks_;
  for (const Kernel* kernel : active) {
    if (InterruptRequested() || (blocks_ > 1 && OverBudget())) break;
    std::vector<CellName> order = kernel->cells;
    if (blocks_ % 2 == 0) std::reverse(order.begin(), order.end());
    for (const CellName& cell : order) visits_.Visit(cell, blocks_);
    std::reverse(order.begin(), order.end());
    for (const CellName& cell : order) visits_.Visit(cell, blocks_);
  }
  for (std::string& problem : pool_.ShutdownAll()) problems_.push_back(std::move(problem));
  if (on_block && !InterruptRequested()) on_block(blocks_, Elapsed());
}

bool ComparisonRun::NeedsNoMore(const Kernel& kernel) const {
  const CellResult* baseline = results().Find(kernel.name, plan_.baseline);
  for (const CellName& cell : kernel.cells) {
    const CellResult* other = results().Find(kernel.name, cell.runtime);
    if (cell.runtime == plan_.baseline || other == nullptr || !other->Measured()) continue;
    if (baseline == nullptr || !baseline->Measured()) continue;
    const RatioEstimate estimate = Compare(*baseline, *other, Pairing::kSameRun).estimate;
    if (!IsNarrow(estimate, plan_.width)) return false;
  }
  return true;
}

void ComparisonRun::Run() {
  start_ = Clock::now();
  while (blocks_ < plan_.max_blocks && !InterruptRequested()) {
    if (blocks_ > 0 && OverBudget()) break;
    std::vector<Kernel*> active;
    for (Kernel& kernel : kernels_) {
      if (blocks_ == 0 || !NeedsNoMore(kernel)) active.push_back(&kernel);
    }
    if (active.empty()) break;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Elapsed());
    say_("block " + std::to_string(blocks_ + 1) + ": " + std::to_string(active.size()) + " of " +
         std::to_string(kernels_.size()) + " benchmarks, " + std::to_string(seconds.count()) +
         " s of " + std::to_string(plan_.budget.count()) + " s");
    RunBlock(active);
  }
}

}  // namespace hvbench
