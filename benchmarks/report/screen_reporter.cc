#include "benchmarks/report/screen_reporter.h"

#include <utility>

#include "fixtures/sample_name.h"

namespace hvbench {

ScreenReporter::ScreenReporter(std::unique_ptr<benchmark::BenchmarkReporter> inner,
                               Progress& progress, Results& results)
    : inner_(std::move(inner)), progress_(progress), results_(results) {}

bool ScreenReporter::ReportContext(const Context& context) {
  inner_->SetOutputStream(&GetOutputStream());
  inner_->SetErrorStream(&GetErrorStream());
  return inner_->ReportContext(context);
}

void ScreenReporter::ReportRuns(const std::vector<Run>& report) {
  std::vector<Run> rows;
  for (const Run& run : report) {
    results_.Add(run);
    Run& row = rows.emplace_back(Normalize(run));
    std::erase_if(row.counters, [](const auto& counter) { return IsSampleName(counter.first); });
  }
  progress_.Clear();
  inner_->ReportRuns(rows);
  GetOutputStream().flush();
}

void ScreenReporter::Finalize() {
  progress_.Clear();
  inner_->Finalize();
}

}  // namespace hvbench
