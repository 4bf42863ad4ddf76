// Google Benchmark's own display, with our rows, beside the progress line; and the collector of
// Results.
#pragma once

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "benchmarks/report/progress.h"
#include "benchmarks/results/results.h"

namespace hvbench {

class ScreenReporter : public benchmark::BenchmarkReporter {
 public:
  // `progress` and `results` outlive the reporter.
  ScreenReporter(std::unique_ptr<benchmark::BenchmarkReporter> inner, Progress& progress,
                 Results& results);

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& report) override;
  void Finalize() override;

 private:
  std::unique_ptr<benchmark::BenchmarkReporter> inner_;
  Progress& progress_;
  Results& results_;
};

}  // namespace hvbench
