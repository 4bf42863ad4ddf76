// Holds all rows back until the end, when the facts of the guests that the context names are known.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <memory>
#include <vector>

namespace hvbench {

class BufferedReporter : public benchmark::BenchmarkReporter {
 public:
  // `inner` writes the rows; `before_writing` completes the context (benchmark::AddCustomContext).
  BufferedReporter(std::unique_ptr<benchmark::BenchmarkReporter> inner,
                   std::function<void()> before_writing);

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& report) override;
  void Finalize() override;

 private:
  std::unique_ptr<benchmark::BenchmarkReporter> inner_;
  std::function<void()> before_writing_;
  std::unique_ptr<Context> context_;
  std::vector<Run> rows_;
};

}  // namespace hvbench
