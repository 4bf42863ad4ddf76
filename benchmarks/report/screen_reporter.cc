#include "benchmarks/report/screen_reporter.h"

#include <utility>
#include <vector>

#include "benchmarks/results/result_writer.h"
#include "fixtures/sample_name.h"

namespace hvbench {
namespace {

class WithoutSamples : public benchmark::BenchmarkReporter {
 public:
  explicit WithoutSamples(std::unique_ptr<benchmark::BenchmarkReporter> inner)
      : inner_(std::move(inner)) {}

  bool ReportContext(const Context& context) override {
    inner_->SetOutputStream(&GetOutputStream());
    inner_->SetErrorStream(&GetErrorStream());
    return inner_->ReportContext(context);
  }
  void ReportRuns(const std::vector<Run>& report) override {
    std::vector<Run> rows = report;
    for (Run& row : rows) {
      std::erase_if(row.counters, [](const auto& counter) { return IsSampleName(counter.first); });
    }
    inner_->ReportRuns(rows);
  }
  void Finalize() override { inner_->Finalize(); }

 private:
  std::unique_ptr<benchmark::BenchmarkReporter> inner_;
};

}  // namespace

std::unique_ptr<benchmark::BenchmarkReporter> MakeDisplay(const std::string& format) {
  if (format != "console") return MakeReporter(format);
  return std::make_unique<WithoutSamples>(
      std::unique_ptr<benchmark::BenchmarkReporter>(benchmark::CreateDefaultDisplayReporter()));
}

}  // namespace hvbench
