// Quantiles over single boots, which are in rows as samples (fixtures/sample_name.h).
#pragma once

#include <benchmark/benchmark.h>

#include <vector>

namespace hvbench {

// Adds to the last of a benchmark's repetitions, where they have the samples `boot_<number>_ms`,
// the quantiles of all of these together, as `p50_ns`, `p90_ns` and `p99_ns`, and their number
// `boots`; of `stop_<number>_ms` the same, as `stop_p50_ns`... A mean of the repetitions' quantiles
// would be none. A quantile is the smallest value that at least that share of all values do not
// exceed (the nearest rank).
void AddBootQuantiles(std::vector<benchmark::BenchmarkReporter::Run>& repetitions);

}  // namespace hvbench
