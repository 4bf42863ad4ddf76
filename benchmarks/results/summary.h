// Every runtime of a run against a baseline runtime: each benchmark, and each subsystem.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/results/comparison.h"
#include "benchmarks/results/results.h"

namespace hvbench {

// A runtime's part of a subsystem.
struct SubsystemSummary {
  GeometricMean mean;  // of the ratios of the benchmarks that both measured
  int higher = 0;
  int lower = 0;
  int no_difference = 0;
  int too_noisy = 0;
  int skipped = 0;
  int failed = 0;
};

class Summary {
 public:
  // `results` outlives this.
  Summary(const Results& results, std::string baseline);

  const Results& results() const { return results_; }
  const std::string& baseline() const { return baseline_; }
  // In the order in which they were measured.
  const std::vector<std::string>& subsystems() const { return subsystems_; }
  // nullptr where one of the two sides was not measured, and for the baseline itself.
  const Comparison* Find(const std::string& kernel, const std::string& runtime) const;
  // nullptr if the runtime was not run in that subsystem.
  const SubsystemSummary* FindSubsystem(const std::string& subsystem,
                                        const std::string& runtime) const;

 private:
  void AddCell(const std::string& kernel, const std::string& runtime);

  using Key = std::pair<std::string, std::string>;
  const Results& results_;
  std::string baseline_;
  std::vector<std::string> subsystems_;
  std::map<Key, Comparison> comparisons_;
  std::map<Key, SubsystemSummary> by_subsystem_;
};

// "cpu" of "cpu/primes/limit:10".
std::string SubsystemOf(const std::string& kernel);

// What the end of a run uses where it can: `wanted`, else the first runtime.
std::string BaselineOf(const Results& results, const std::string& wanted);

}  // namespace hvbench
