#include "benchmarks/journal/journal_reporter.h"

#include <algorithm>

#include "benchmarks/results/row.h"
#include "runtime_launchers/support/interrupt.h"

namespace hvbench {
namespace {

using Run = benchmark::BenchmarkReporter::Run;
using benchmark::Counter;

// As Google Benchmark does at the end of a repetition of one thread.
double Finished(const Counter& counter, double iterations, double seconds) {
  double value = counter.value;
  if ((counter.flags & Counter::kIsRate) != 0) value /= seconds;
  if ((counter.flags & Counter::kIsIterationInvariant) != 0) value *= iterations;
  if ((counter.flags & Counter::kAvgIterations) != 0) value /= iterations;
  if ((counter.flags & Counter::kInvert) != 0) value = 1 / value;
  return value;
}

// What was interrupted or failed is measured again by a run that goes on.
bool IsSettled(const Run& row) {
  const Outcome outcome = OutcomeOf(row);
  return outcome == Outcome::kMeasured || (outcome == Outcome::kSkipped && !InterruptRequested());
}

}  // namespace

JournalReporter::JournalReporter(Journal& journal, const std::vector<std::string>& names)
    : journal_(journal) {
  for (const std::string& name : names) {
    family_.emplace(name, static_cast<std::int64_t>(family_.size()));
  }
}

void JournalReporter::Flush() {
  if (rows_.empty()) return;
  journal_.AddBenchmark(name_, rows_, std::all_of(rows_.begin(), rows_.end(), IsSettled));
  rows_.clear();
}

void JournalReporter::ReportRuns(const std::vector<Run>& report) {
  if (report.empty()) return;
  const std::string name = report.front().run_name.str();
  if (name != name_) Flush();
  name_ = name;
  for (const Run& run : report) {
    rows_.push_back(Normalize(run));
    const auto family = family_.find(name);
    if (family != family_.end()) rows_.back().family_index = family->second;
  }
  // Aggregates follow where at least two repetitions were measured.
  const auto is_measured = [](const Run& row) { return OutcomeOf(row) == Outcome::kMeasured; };
  if (rows_.back().run_type == Run::RT_Aggregate ||
      std::count_if(rows_.begin(), rows_.end(), is_measured) < 2) {
    Flush();
  }
}

Run RowOf(const MeasuredRepetition& repetition) {
  const auto iterations = static_cast<double>(repetition.iterations);
  Run run;
  run.statistics = nullptr;  // which its constructor leaves open, with the next four
  run.family_index = 0;
  run.per_family_instance_index = 0;
  run.repetition_index = 0;
  run.repetitions = 1;
  run.run_name.function_name = FormatCellName(repetition.cell);
  run.run_name.time_type = "manual_time";
  run.iterations = static_cast<benchmark::IterationCount>(repetition.iterations);
  run.real_accumulated_time = repetition.seconds;
  for (const auto& [name, counter] : repetition.counters) {
    run.counters[name] =
        Counter(Finished(counter, iterations, repetition.seconds), counter.flags, counter.oneK);
  }
  return Normalize(run);
}

}  // namespace hvbench
