// The rows of a run in memory: from Google Benchmark itself, or from a file that it wrote. What the
// program says about results at the end of a run, and all that it makes of files, starts here.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "benchmarks/results/quantity.h"
#include "benchmarks/results/row.h"

namespace hvbench {

// One repetition. Times are of one iteration.
struct Sample {
  double real_ns = 0;
  double cpu_ns = 0;
  std::int64_t boot = 0;   // which boot of the runtime's guest, from 1; 0: not said
  std::int64_t block = 0;  // which A B B A block of a comparison, from 1; 0: not of a comparison
  std::map<std::string, double> counters;
  double value = 0;  // of the quantity that the results are of
};

// 0 if the sample has none: every quantity that is compared is above 0.
double ValueOf(const Sample& sample, const std::string& quantity);

struct CellResult {
  Outcome outcome = Outcome::kMeasured;
  std::string reason;  // "" if measured
  std::vector<Sample> samples;

  bool Measured() const { return outcome == Outcome::kMeasured && !samples.empty(); }
  // One value a repetition.
  std::vector<double> RealNs() const;
  std::vector<double> Values() const;
  // The counter's values, from those repetitions that have it.
  std::vector<double> Values(const std::string& counter) const;
};

// How busy the other side of a cell's network was, in the median of its repetitions; 0 where there
// is none.
double OtherSideBusyPercent(const CellResult& cell);

class Results {
 public:
  // Cells that have no such quantity are skipped.
  explicit Results(Quantity quantity = {}) : quantity_(std::move(quantity)) {}

  // Rows that are aggregates, or not ours, are left out.
  void Add(const benchmark::BenchmarkReporter::Run& run);
  // `kernel`: the benchmark's name without its runtime.
  void AddSample(const std::string& kernel, const std::string& runtime, Sample sample);
  // Outweighs all samples of that cell.
  void AddUnmeasured(const std::string& kernel, const std::string& runtime, Outcome outcome,
                     std::string reason);

  const Quantity& quantity() const { return quantity_; }
  // In the order in which they were first added.
  const std::vector<std::string>& kernels() const { return kernels_; }  // without the runtime
  const std::vector<std::string>& runtimes() const { return runtimes_; }
  // nullptr if that cell was not run.
  const CellResult* Find(const std::string& kernel, const std::string& runtime) const;
  int Count(Outcome outcome) const;

 private:
  CellResult& CellOf(const std::string& kernel, const std::string& runtime);

  Quantity quantity_;
  std::vector<std::string> kernels_;
  std::vector<std::string> runtimes_;
  std::map<std::pair<std::string, std::string>, CellResult> cells_;
};

}  // namespace hvbench
