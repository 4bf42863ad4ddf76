// Google Benchmark's own reporters on standard output.
#pragma once

#include <benchmark/benchmark.h>

#include <memory>
#include <string>

namespace hvbench {

// `format`: of --benchmark_format. The console's has colours, as Google Benchmark's flags say, and
// leaves out the counters that are samples: there may be hundreds of them in a row.
std::unique_ptr<benchmark::BenchmarkReporter> MakeDisplay(const std::string& format);

}  // namespace hvbench
