// Rows in the forms that Google Benchmark has for them.
#pragma once

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

namespace hvbench {

// `format`: "console", "json" or "csv".
std::unique_ptr<benchmark::BenchmarkReporter> MakeReporter(const std::string& format);

// What Google Benchmark writes to a file of these rows, with its context and the custom one.
std::string FormatRows(const std::string& format,
                       const std::vector<benchmark::BenchmarkReporter::Run>& rows);

// The same as a JSON array, without a context.
std::string FormatJsonRows(const std::vector<benchmark::BenchmarkReporter::Run>& rows);

// Wide enough for the names of these rows.
benchmark::BenchmarkReporter::Context ContextOf(
    const std::vector<benchmark::BenchmarkReporter::Run>& rows);

}  // namespace hvbench
