#include "benchmarks/results/result_writer.h"

#include <algorithm>
#include <sstream>

namespace hvbench {

using benchmark::BenchmarkReporter;

std::unique_ptr<BenchmarkReporter> MakeReporter(const std::string& format) {
  if (format == "json") return std::make_unique<benchmark::JSONReporter>();
    // Deprecated, not gone: users of the flag expect what Google Benchmark writes.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  if (format == "csv") return std::make_unique<benchmark::CSVReporter>();
#pragma GCC diagnostic pop
  return std::make_unique<benchmark::ConsoleReporter>();
}

BenchmarkReporter::Context ContextOf(const std::vector<BenchmarkReporter::Run>& rows) {
  BenchmarkReporter::Context context;
  context.name_field_width = 10;  // as Google Benchmark begins; its constructor leaves it open
  for (const BenchmarkReporter::Run& row : rows) {
    context.name_field_width = std::max(context.name_field_width, row.benchmark_name().size());
  }
  return context;
}

std::string FormatRows(const std::string& format, const std::vector<BenchmarkReporter::Run>& rows) {
  const std::unique_ptr<BenchmarkReporter> reporter =
      format == "console"  // without a terminal's colours
          ? std::make_unique<benchmark::ConsoleReporter>(benchmark::ConsoleReporter::OO_None)
          : MakeReporter(format);
  std::ostringstream out;
  std::ostringstream context;  // where the reporter of a table puts it
  reporter->SetOutputStream(&out);
  reporter->SetErrorStream(&context);
  // All rows at once: the CSV reporter takes the columns from its first rows, and ends the program
  // where a later one has another counter.
  if (reporter->ReportContext(ContextOf(rows))) reporter->ReportRuns(rows);
  reporter->Finalize();
  return out.str();
}

std::string FormatJsonRows(const std::vector<BenchmarkReporter::Run>& rows) {
  std::ostringstream out;
  benchmark::JSONReporter reporter;
  reporter.SetOutputStream(&out);
  reporter.ReportRuns(rows);
  return '[' + out.str() + ']';
}

}  // namespace hvbench
