// Rows as Google Benchmark makes them.
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <utility>

namespace hvbench::testing {

using Row = benchmark::BenchmarkReporter::Run;

inline Row GoodRow(const std::string& name, double ns, benchmark::IterationCount iterations) {
  Row run;
  run.run_name.function_name = name;
  run.run_name.time_type = "manual_time";
  run.run_type = Row::RT_Iteration;
  run.iterations = iterations;
  run.real_accumulated_time = ns * 1e-9 * static_cast<double>(iterations);
  run.cpu_accumulated_time = 123e-9;  // of this program: of no interest
  run.threads = 1;
  run.repetitions = 1;
  return run;
}

// Google Benchmark 1.8 replaced error_occurred and error_message.
template <typename R>
void SetMessage(R& run, const std::string& message) {
  if constexpr (requires { run.error_message; }) {
    run.error_occurred = true;
    run.error_message = message;
  } else {
    run.skipped = decltype(run.skipped)(2);  // SkippedWithError
    run.skip_message = message;
  }
}

inline Row FailedRow(const std::string& name, const std::string& message) {
  Row run = GoodRow(name, 0, 0);
  SetMessage(run, message);
  return run;
}

}  // namespace hvbench::testing
