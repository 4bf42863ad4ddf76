#include "benchmarks/journal/repetition_row.h"

#include "benchmarks/results/row.h"

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

}  // namespace

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
