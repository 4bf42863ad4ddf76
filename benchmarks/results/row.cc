#include "benchmarks/results/row.h"

#include <cmath>

#include "benchmarks/text/escape.h"
#include "fixtures/runtime_fixture.h"

namespace hvbench {
namespace {

using Run = benchmark::BenchmarkReporter::Run;

// Google Benchmark 1.8 replaced error_occurred and error_message.
template <typename R>
std::string_view MessageOf(const R& run) {
  if constexpr (requires { run.error_message; }) {
    return run.error_occurred ? std::string_view(run.error_message) : std::string_view();
  } else {
    return run.skip_message;
  }
}

template <typename R>
void CleanMessages(R& run) {
  run.report_label = CleanText(run.report_label);
  if constexpr (requires { run.error_message; }) {
    run.error_message = CleanText(run.error_message);
  } else {
    run.skip_message = CleanText(run.skip_message);
  }
}

bool IsRatio(const Run& run) {
  return run.run_type == Run::RT_Aggregate && run.aggregate_unit == benchmark::kPercentage;
}

// The coefficient of variation of a counter that is 0 in all repetitions is 0 / 0, which is no
// JSON.
double Finite(double value) { return std::isfinite(value) ? value : 0; }

}  // namespace

Outcome OutcomeOf(const Run& run) {
  const std::string_view message = MessageOf(run);
  if (message.empty()) return Outcome::kMeasured;
  return message.starts_with(kSkippedPrefix) ? Outcome::kSkipped : Outcome::kFailed;
}

std::string_view ReasonOf(const Run& run) {
  std::string_view text = MessageOf(run);
  for (const std::string_view prefix : {kSkippedPrefix, kErrorPrefix}) {
    if (text.starts_with(prefix)) return text.substr(prefix.size());
  }
  return text;
}

Run Normalize(const Run& run) {
  Run row = run;
  CleanMessages(row);
  if (OutcomeOf(row) != Outcome::kMeasured) {
    constexpr double kNotMeasuredNs = -1;
    row.iterations = 0;
    row.real_accumulated_time = kNotMeasuredNs / benchmark::GetTimeUnitMultiplier(row.time_unit);
    row.cpu_accumulated_time = row.real_accumulated_time;
    return row;
  }
  row.real_accumulated_time = Finite(row.real_accumulated_time);
  row.cpu_accumulated_time = Finite(row.cpu_accumulated_time);
  for (auto& [name, counter] : row.counters) counter.value = Finite(counter.value);
  const auto cpu = row.counters.find(kGuestCpuCounter);
  if (cpu == row.counters.end()) return row;
  // Per iteration, in ns; but the coefficient of variation is a ratio, which has neither.
  row.cpu_accumulated_time = IsRatio(row)
                                 ? cpu->second.value
                                 : cpu->second.value * 1e-9 * static_cast<double>(row.iterations);
  row.counters.erase(cpu);
  return row;
}

}  // namespace hvbench
