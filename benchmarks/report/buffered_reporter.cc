#include "benchmarks/report/buffered_reporter.h"

#include <utility>

#include "benchmarks/results/row.h"

namespace hvbench {

BufferedReporter::BufferedReporter(std::unique_ptr<benchmark::BenchmarkReporter> inner,
                                   std::function<void()> before_writing)
    : inner_(std::move(inner)), before_writing_(std::move(before_writing)) {}

bool BufferedReporter::ReportContext(const Context& context) {
  context_ = std::make_unique<Context>(context);
  return true;
}

void BufferedReporter::ReportRuns(const std::vector<Run>& report) {
  for (const Run& run : report) rows_.push_back(Normalize(run));
}

void BufferedReporter::Finalize() {
  before_writing_();
  inner_->SetOutputStream(&GetOutputStream());
  inner_->SetErrorStream(&GetErrorStream());
  // All at once: the CSV reporter takes the columns from its first rows, and ends the program where
  // a later one has another counter.
  if (context_ && inner_->ReportContext(*context_)) inner_->ReportRuns(rows_);
  inner_->Finalize();
}

}  // namespace hvbench
