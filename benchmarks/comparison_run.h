// A comparison of runtimes: A B B A blocks with fresh guests, until the answer is sharp enough.
//
// In a block each runtime boots once. For each kernel its runtimes are visited in one order and
// back again (A B C C B A; the next block begins with C), so that a drift that is linear over the
// visits cancels out of the block's ratio. Blocks are independent of each other; their ratios are
// what the statistics work on. A kernel is left out of further blocks once all its intervals are
// narrow enough (IsNarrow).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "benchmarks/results/results.h"
#include "benchmarks/visits.h"
#include "fixtures/guest_pool.h"
#include "fixtures/runtime_fixture.h"

namespace hvbench {

struct ComparisonPlan {
  std::string baseline;
  std::string quantity = kRealTime;  // as QuantityNamed takes it
  double width = 0.02;               // as IsNarrow takes it
  std::chrono::seconds budget{60};   // no kernel is begun after it, from the second block on
  int max_blocks = 1'000'000;
};

class ComparisonRun {
 public:
  // The cells are registered with Google Benchmark. `say` gets a line for people as each block
  // begins.
  ComparisonRun(const std::vector<CellName>& cells, ComparisonPlan plan, GuestPool& pool,
                std::function<void(const std::string&)> say);

  // Before Run: goes on with one that ended after so many whole blocks and that time, with these
  // rows by the benchmark's reported name.
  void Resume(std::map<std::string, std::vector<Visits::Row>> rows, int blocks,
              std::chrono::duration<double> elapsed);
  // Until all is narrow, the budget ends or the user interrupts. Leaves no guest running. Once.
  void Run();

  // For on_visit, and what was measured.
  Visits& visits() { return visits_; }
  // Called after each whole block.
  std::function<void(int block, std::chrono::duration<double> elapsed)> on_block;

  const Results& results() const { return visits_.results(); }
  int blocks() const { return blocks_; }
  // What went wrong with guests, for a warning.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Kernel {
    std::string name;
    std::vector<CellName> cells;  // one a runtime
  };

  void RunBlock(const std::vector<Kernel*>& active);
  bool NeedsNoMore(const Kernel& kernel) const;
  std::chrono::duration<double> Elapsed() const {
    return elapsed_before_ + (Clock::now() - start_);
  }
  bool OverBudget() const { return Elapsed() > plan_.budget; }

  ComparisonPlan plan_;
  GuestPool& pool_;
  std::function<void(const std::string&)> say_;
  std::vector<Kernel> kernels_;
  Visits visits_;
  std::vector<std::string> problems_;
  int blocks_ = 0;
  Clock::time_point start_;
  std::chrono::duration<double> elapsed_before_{0};
};

}  // namespace hvbench
