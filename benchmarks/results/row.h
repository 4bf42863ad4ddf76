// What every reporter does to Google Benchmark's rows before they are shown or written.
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

namespace hvbench {

enum class Outcome { kMeasured, kSkipped, kFailed };

Outcome OutcomeOf(const benchmark::BenchmarkReporter::Run& run);
// The message without the prefix that tells skipped from failed.
std::string_view ReasonOf(const benchmark::BenchmarkReporter::Run& run);

// The row with its messages cleaned (CleanText), and with the guest's CPU time as its cpu_time,
// instead of this program's; and, if it was not measured, with -1 for its times, so that a reader
// that ignores error_occurred cannot take them for a result of 0 ns.
benchmark::BenchmarkReporter::Run Normalize(const benchmark::BenchmarkReporter::Run& run);

}  // namespace hvbench
