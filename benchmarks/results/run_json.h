// A row of Google Benchmark's as a line of the journal, and back, without a loss.
#pragma once

#include <benchmark/benchmark.h>

#include <nlohmann/json_fwd.hpp>

namespace hvbench {

using OrderedJson = nlohmann::ordered_json;

// `row` comes from Normalize, so all its numbers are finite.
OrderedJson JsonOf(const benchmark::BenchmarkReporter::Run& row);

// Throws OrderedJson::exception if it is none.
benchmark::BenchmarkReporter::Run RowOf(const OrderedJson& json);

// As Google Benchmark reports a benchmark that calls SkipWithError. `name`: as reported.
benchmark::BenchmarkReporter::Run UnmeasuredRow(const std::string& name,
                                                const std::string& message);

}  // namespace hvbench
