// From the fixtures into the journal.
#pragma once

#include <benchmark/benchmark.h>

#include "fixtures/runtime_fixture.h"

namespace hvbench {

// The row that Google Benchmark will report of it with those of the other repetitions, but for
// their number.
benchmark::BenchmarkReporter::Run RowOf(const MeasuredRepetition& repetition);

}  // namespace hvbench
