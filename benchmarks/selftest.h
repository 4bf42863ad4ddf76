// `hvbench selftest`: each runtime against itself. What it calls different then is a false
// positive.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "benchmarks/comparison_run.h"

namespace hvbench {

// The name of a runtime's second self.
std::string TwinOf(const std::string& runtime);

struct SelftestCount {
  std::string runtime;
  int comparisons = 0;    // benchmarks times rounds, without those that could not be measured
  int outside = 0;        // 95 % intervals that leave out 1: one in twenty should
  int called_slower = 0;  // verdicts
  int called_faster = 0;
  int too_noisy = 0;

  double FalsePositiveRate() const;
};

// Compares `runtime` with its twin, whose cells are registered, `rounds` times, each with new
// guests.
SelftestCount RunSelftest(const std::string& runtime, const std::vector<CellName>& cells,
                          ComparisonPlan plan, int rounds, GuestPool& pool,
                          const std::function<void(const std::string&)>& say);

void PrintSelftest(const std::vector<SelftestCount>& counts, std::ostream& out);

}  // namespace hvbench
